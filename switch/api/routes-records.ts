/** /api/v1/registrations and /api/v1/cdrs. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { formatAddress, formatHostPort } from '../../wasm-core/host/address.ts';
import { ENDED_BY_NAMES, nameOf } from '../../wasm-core/host/names.ts';
import { type BindingRecord, decodeBinding } from '../../wasm-core/host/records.ts';
import type { Cdr } from '../control/cdr.ts';
import { nowUs } from '../control/clock.ts';
import type { Config } from '../control/config/schema.ts';
import { text } from '../schema/builder.ts';
import type { ApiContext } from './context.ts';
import { json } from './exchange.ts';
import { collectPage, pageParameters } from './paging.ts';
import type { Route } from './router.ts';
import { latencyOf, timeOf, transportOf } from './routes-calls.ts';
import { type CallDetailRecord, cdrsSchema, type Registration, registrationsSchema } from './shapes.ts';

function registrationOf(binding: BindingRecord, domain: string): Registration {
  return {
    aor: `sip:${binding.user}@${domain}`,
    contact: binding.contact,
    transport: transportOf(binding.transport),
    expiresInS: Math.max(0, Math.round((binding.expiresUs - nowUs()) / 1e6)),
    source: binding.port === 0 ? null : formatHostPort(formatAddress(binding.address), binding.port),
    q: binding.q,
    userAgent: binding.userAgent,
    instanceId: binding.instanceId === '' ? null : binding.instanceId,
  };
}

function cdrOf(config: Config, { number, call }: Cdr): CallDetailRecord {
  return {
    id: String(number),
    callId: call.callId,
    from: call.from,
    to: call.to,
    startedAt: timeOf(call.startedUs) ?? '',
    ringingAt: timeOf(call.ringingUs),
    answeredAt: timeOf(call.answeredUs),
    endedAt: timeOf(call.endedUs) ?? '',
    durationMs: call.answeredUs > 0 ? Math.round((call.endedUs - call.answeredUs) / 1000) : 0,
    cause: call.cause,
    endedBy: nameOf(ENDED_BY_NAMES, call.endedBy) as CallDetailRecord['endedBy'],
    trunk: call.trunk === '' ? null : call.trunk,
    latency: latencyOf(config, call),
  };
}

const searchParameter = (what: string) => ({ ...text(what, { maxLength: 128 }), default: undefined });
const UNAUTHORIZED = { 401: { description: 'No valid token.' } };

/** Routes of registrations and call detail records. */
export const recordRoutes: readonly Route<ApiContext>[] = [
  {
    method: 'GET',
    path: '/api/v1/registrations',
    summary: 'Registered contacts.',
    access: 'token',
    queryParameters: {
      ...pageParameters,
      search: searchParameter('Only contacts whose address of record, URI or User-Agent contains this.'),
    },
    responses: {
      200: { description: 'One page.', schema: registrationsSchema, name: 'Registrations' },
      ...UNAUTHORIZED,
      503: { description: 'The core does not answer.' },
    },
    async handle(context, parameters) {
      const domain = context.config.domains[0] ?? '';
      const search = parameters['search'];
      const page = await collectPage({
        ask: (cursor, limit) => context.link.query(abi.QUERY_BINDINGS, cursor, limit),
        decode: (bytes) => registrationOf(decodeBinding(bytes), domain),
        keep: ({ aor, contact, userAgent }) =>
          search === undefined || [aor, contact, userAgent].some((value) => value.includes(String(search))),
        cursor: parameters['cursor'] as string | undefined,
        limit: Number(parameters['limit']),
      });
      return json({ total: page.total, registrations: page.items, next: page.next });
    },
  },
  {
    method: 'GET',
    path: '/api/v1/cdrs',
    summary: 'Call detail records of ended calls, newest first.',
    access: 'token',
    queryParameters: {
      ...pageParameters,
      search: searchParameter('Only records whose Call-ID, from or to contains this.'),
    },
    responses: { 200: { description: 'One page.', schema: cdrsSchema, name: 'Cdrs' }, ...UNAUTHORIZED },
    handle(context, { cursor, limit, search }) {
      const { cdrs } = context.calls;
      const found: CallDetailRecord[] = [];
      let next: string | null = null;
      for (const cdr of cdrs.newest(cursor === undefined ? undefined : Number(cursor))) {
        const { callId, from, to } = cdr.call;
        if (search !== undefined && ![callId, from, to].some((value) => value.includes(String(search))))
          continue;
        if (found.length === Number(limit)) {
          next = String(cdr.number + 1);
          break;
        }
        found.push(cdrOf(context.config, cdr));
      }
      return json({ total: cdrs.size, cdrs: found, next });
    },
  },
];
