/** /api/v1/calls: running calls. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { CALL_STATE_NAMES, nameOf, TRANSPORT_NAMES } from '../../wasm-core/host/names.ts';
import { type CallRecord, decodeCall, decodeRecords } from '../../wasm-core/host/records.ts';
import type { LegStats } from '../../media/protocol.ts';
import { choice, text } from '../schema/builder.ts';
import type { Config } from '../control/config/schema.ts';
import type { ApiContext } from './context.ts';
import { json } from './exchange.ts';
import { collectPage, pageParameters, unavailable } from './paging.ts';
import { Problem } from './problem.ts';
import type { Route } from './router.ts';
import {
  type Call,
  type CallDetail,
  callDetailSchema,
  callId,
  callSchema,
  callsSchema,
  endedSchema,
  type Leg,
  type Stage,
} from './shapes.ts';

/** RFC 3339 time of µs since the epoch; null = 0 = has not happened. */
export function timeOf(us: number): string | null {
  return us > 0 ? new Date(us / 1000).toISOString() : null;
}

/** A transport as the API names it. */
export function transportOf(transport: number): Call['callerTransport'] {
  return nameOf(TRANSPORT_NAMES, transport) as Call['callerTransport'];
}

function callOf(record: CallRecord): Call {
  return {
    id: `${record.slot}.${record.generation}`,
    callId: record.callId,
    from: record.from,
    to: record.to,
    state: nameOf(CALL_STATE_NAMES, record.state) as Call['state'],
    startedAt: timeOf(record.startedUs) ?? '',
    ringingAt: timeOf(record.ringingUs),
    answeredAt: timeOf(record.answeredUs),
    callerTransport: transportOf(record.callerTransport),
    calleeTransport: transportOf(record.calleeTransport),
    trunk: record.trunk === '' ? null : record.trunk,
    anchored: record.anchored,
  };
}

/** Latency of a call by stage, against the budgets. */
export function latencyOf(config: Config, record: CallRecord): Record<string, Stage> {
  const { budgets } = config;
  const { breaches } = record;
  const latency: Record<string, Stage> = {
    queue: {
      lastUs: record.queueLastUs,
      maxUs: record.queueMaxUs,
      budgetUs: budgets.queueUs,
      breaches: breaches.queue,
    },
    core: {
      lastUs: record.coreLastUs,
      maxUs: record.coreMaxUs,
      budgetUs: budgets.coreUs,
      breaches: breaches.core,
    },
  };
  if (record.mediaMaxUs > 0)
    latency['media'] = {
      lastUs: record.mediaLastUs,
      maxUs: record.mediaMaxUs,
      budgetUs: budgets.mediaUs,
      breaches: breaches.media,
    };
  if (record.setupUs > 0)
    latency['setup'] = {
      lastUs: record.setupUs,
      maxUs: record.setupUs,
      budgetUs: record.anchored ? budgets.setupMediaUs : budgets.setupUs,
      breaches: breaches.setup,
    };
  return latency;
}

function legOf(leg: LegStats): Leg {
  const {
    variant,
    transport,
    path,
    codec,
    remote,
    localPort,
    packetsIn,
    packetsOut,
    lossPct,
    jitterMs,
    rttMs,
    mos,
    held,
  } = leg;
  return {
    leg: leg.leg,
    variant,
    transport,
    path,
    codec,
    remote,
    localPort,
    packetsIn,
    packetsOut,
    lossPct,
    jitterMs,
    rttMs,
    mos,
    held,
  };
}

/** Media legs of a call; none when the media process is away, which /api/v1/nodes tells. */
async function legsOf(context: ApiContext, id: string): Promise<Leg[]> {
  if (!context.media?.port.connected) return [];
  try {
    const reply = await context.media.port.stats(id);
    return (reply.legs ?? []).map(legOf);
  } catch {
    return [];
  }
}

/** The slot and generation in an id that matched its pattern. */
function parseId(id: unknown): { slot: number; generation: number } {
  const [slot = 0, generation = 0] = String(id).split('.').map(Number);
  return { slot, generation };
}

async function findCall(context: ApiContext, id: unknown): Promise<CallRecord> {
  const { slot, generation } = parseId(id);
  const page = await context.link.query(abi.QUERY_CALL, slot, 1, { generation }).catch(unavailable);
  const [record] = decodeRecords(page.payload, page.count, decodeCall);
  if (record === undefined)
    throw new Problem(404, 'There is no such call; it may have ended: see /api/v1/cdrs.');
  return record;
}

const PROBLEMS = {
  401: { description: 'No valid token.' },
  503: { description: 'The core does not answer.' },
};

/** Routes of running calls. */
export const callRoutes: readonly Route<ApiContext>[] = [
  {
    method: 'GET',
    path: '/api/v1/calls',
    summary: 'Running calls.',
    access: 'token',
    queryParameters: {
      ...pageParameters,
      state: {
        ...choice('Only calls in this state.', ['invited', 'ringing', 'answered', 'ending']),
        default: undefined,
      },
      search: {
        ...text('Only calls whose Call-ID, from or to contains this.', { maxLength: 128 }),
        default: undefined,
      },
    },
    responses: { 200: { description: 'One page.', schema: callsSchema, name: 'Calls' }, ...PROBLEMS },
    async handle(context, parameters) {
      const { state, search } = parameters;
      const page = await collectPage({
        ask: (cursor, limit) => context.link.query(abi.QUERY_CALLS, cursor, limit),
        decode: (bytes) => callOf(decodeCall(bytes)),
        keep: (call) =>
          (state === undefined || call.state === state) &&
          (search === undefined ||
            [call.callId, call.from, call.to].some((value) => value.includes(String(search)))),
        cursor: parameters['cursor'] as string | undefined,
        limit: Number(parameters['limit']),
      });
      return json({ total: page.total, calls: page.items, next: page.next });
    },
  },
  {
    method: 'GET',
    path: '/api/v1/calls/:id',
    summary: 'One call with its latency and the quality of its media.',
    access: 'token',
    pathParameters: { id: callId },
    responses: {
      200: { description: 'The call.', schema: callDetailSchema, name: 'CallDetail' },
      404: { description: 'No such call.' },
      ...PROBLEMS,
    },
    async handle(context, { id }) {
      const record = await findCall(context, id);
      const call = callOf(record);
      const detail: CallDetail = {
        ...call,
        latency: latencyOf(context.config, record),
        legs: await legsOf(context, call.id),
      };
      return json(detail);
    },
  },
  {
    method: 'DELETE',
    path: '/api/v1/calls/:id',
    summary: 'Ends a call: BYE to both sides, or CANCEL before it is answered.',
    access: 'token',
    pathParameters: { id: callId },
    responses: {
      202: { description: 'The call is being ended.', schema: endedSchema, name: 'Ended' },
      404: { description: 'No such call.' },
      ...PROBLEMS,
    },
    async handle(context, { id }) {
      const { slot, generation } = parseId(id);
      const found = await context.link.hangup(slot, generation).catch(unavailable);
      if (!found) throw new Problem(404, 'There is no such call; it may have ended.');
      return json({ id }, 202);
    },
  },
];

/** Named for the OpenAPI document. */
export const callShapes = { Call: callSchema };
