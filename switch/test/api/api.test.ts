import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { parseAddress } from '../../../wasm-core/host/address.ts';
import type { Frame } from '../../../wasm-core/host/frames.ts';
import { FakeMedia } from '../support/fake-media.ts';
import { startTestNode, TOKEN, type TestNode } from '../support/node.ts';
import { bindingRecord, callRecord, queryPayload } from '../support/records.ts';

const T0 = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000;
let node: TestNode;
const media = new FakeMedia();

/** 150 calls, every tenth ringing, the others answered. */
const calls = Array.from({ length: 150 }, (_, slot) => ({
  slot,
  generation: 3,
  state: slot % 10 === 0 ? abi.CALL_STATE_RINGING : abi.CALL_STATE_ANSWERED,
  startedUs: T0,
  answeredUs: slot % 10 === 0 ? 0 : T0 + 2e6,
  callerTransport: abi.TRANSPORT_WS,
  callId: `call-${slot}`,
  from: `sip:${1000 + slot}@strowger.test`,
  to: 'sip:1001@strowger.test',
  trunk: slot === 3 ? 'carrier' : '',
  setupUs: 400,
  queueLastUs: 12,
  queueMaxUs: 150,
  coreLastUs: 3,
  coreMaxUs: 4,
  breaches: { queue: 2, core: 0, media: 0, setup: 1 },
}));

const binding = {
  user: '1001',
  contact: 'sip:1001@192.0.2.7:5070',
  transport: abi.TRANSPORT_UDP,
  address: parseAddress('192.0.2.7')!,
  port: 5070,
  expiresUs: (Date.now() + 60_000) * 1000,
  q: 1,
  userAgent: 'phone',
};

/** What the core would answer. */
function answer(frame: Frame): void {
  const [id, what, cursor, limit] = [0, 1, 2, 3].map((i) => frame.arg(i)) as [number, number, number, number];
  if (frame.kind === abi.EV_HANGUP) {
    node.realtime.effect({ kind: abi.EF_HANGUP_REPLY, args: [id, what === 7 ? 1 : 0] });
    return;
  }
  if (frame.kind !== abi.EV_QUERY) return;
  const reply = (records: Uint8Array[], next: number, total: number): void =>
    node.realtime.effect(
      { kind: abi.EF_QUERY_REPLY, args: [id, what, next, records.length, total] },
      queryPayload(records),
    );
  if (what === abi.QUERY_CALLS) {
    const end = cursor + limit;
    reply(calls.slice(cursor, end).map(callRecord), end >= calls.length ? abi.CURSOR_END : end, calls.length);
  } else if (what === abi.QUERY_CALL)
    reply(calls[cursor] && limit === 3 ? [callRecord(calls[cursor])] : [], abi.CURSOR_END, 1);
  else reply([bindingRecord(binding)], abi.CURSOR_END, 1);
}

interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is being tested
  body: any;
}

async function ask(path: string, options: { token?: string; method?: string } = {}): Promise<Answer> {
  const { token = TOKEN, method = 'GET' } = options;
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${node.web}${path}`, { method, headers });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text ? JSON.parse(text) : text,
  };
}

beforeAll(async () => {
  node = await startTestNode({ media });
  node.realtime.answer = answer;
});
afterAll(() => node.node.close());

describe('access', () => {
  const guarded = [
    '/metrics',
    '/api/v1/nodes',
    '/api/v1/calls',
    '/api/v1/calls/1.3',
    '/api/v1/registrations',
    '/api/v1/cdrs',
    '/api/v1/openapi.json',
    '/api/v1/nothing',
    '/api/',
  ];

  it.each(guarded)('%s needs a token', async (path) => {
    for (const token of ['', 'wrong', `${TOKEN}x`, TOKEN.slice(1)]) {
      const { status, headers, body } = await ask(path, { token });
      expect(status).toBe(401);
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(headers.get('www-authenticate')).toContain('Bearer');
      expect(body).toMatchObject({ type: 'about:blank', title: 'Unauthorized', status: 401, instance: path });
    }
  });

  it('DELETE needs a token', async () => {
    expect((await ask('/api/v1/calls/7.1', { token: '', method: 'DELETE' })).status).toBe(401);
    expect(node.realtime.sent.filter((frame) => frame.kind === abi.EV_HANGUP)).toHaveLength(0);
  });

  it('takes the token from the query as well', async () => {
    expect((await ask(`/api/v1/nodes?token=${TOKEN}`, { token: '' })).status).toBe(200);
    expect((await ask('/api/v1/nodes?token=wrong', { token: '' })).status).toBe(401);
  });

  it.each(['/healthz', '/readyz'])('%s needs none', async (path) => {
    expect(await ask(path, { token: '' })).toMatchObject({ status: 200, body: { status: 'ok' } });
  });
});

describe('a switch without a second node', () => {
  it.each(['switchover', 'restart'])('refuses a %s, and says why', async (what) => {
    expect(await ask(`/api/v1/${what}`, { method: 'POST' })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('availability.standby') },
    });
  });
});

describe('calls', () => {
  it('come in pages until the last', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body }: Answer = await ask(`/api/v1/calls?limit=40${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(body.total).toBe(150);
      seen.push(...body.calls.map((call: { id: string }) => call.id));
      cursor = body.next;
    }
    expect(seen).toEqual(calls.map((call) => `${call.slot}.3`));
  });

  it('have the shape that tools rely on', async () => {
    const { body } = await ask('/api/v1/calls?limit=4');
    expect(body.calls[3]).toEqual({
      id: '3.3',
      callId: 'call-3',
      from: 'sip:1003@strowger.test',
      to: 'sip:1001@strowger.test',
      state: 'answered',
      startedAt: '2026-01-02T03:04:05.000Z',
      ringingAt: null,
      answeredAt: '2026-01-02T03:04:07.000Z',
      callerTransport: 'ws',
      calleeTransport: 'udp',
      trunk: 'carrier',
      anchored: false,
    });
  });

  it('can be filtered', async () => {
    const ringing = await ask('/api/v1/calls?state=ringing&limit=500');
    expect(ringing.body.calls).toHaveLength(15);
    const found = await ask('/api/v1/calls?search=call-77');
    expect(found.body).toMatchObject({ total: 150, calls: [{ id: '77.3' }], next: null });
  });

  it('one by one have latency and legs', async () => {
    media.legs = [
      {
        leg: 0,
        variant: 'webrtc',
        transport: 'webrtc',
        path: 'mediasoup',
        codec: 'opus/48000/2',
        localPort: null,
        remote: null,
        packetsIn: 1,
        packetsOut: 2,
        lossPct: 0.5,
        jitterMs: 2,
        rttMs: null,
        mos: 4.2,
        held: false,
      },
    ];
    const { body } = await ask('/api/v1/calls/3.3');
    expect(body).toMatchObject({
      id: '3.3',
      legs: [{ transport: 'webrtc', codec: 'opus/48000/2', lossPct: 0.5, jitterMs: 2, mos: 4.2 }],
    });
    expect(body.latency).toEqual({
      queue: { lastUs: 12, maxUs: 150, budgetUs: 100, breaches: 2 },
      core: { lastUs: 3, maxUs: 4, budgetUs: 20, breaches: 0 },
      setup: { lastUs: 400, maxUs: 400, budgetUs: 300, breaches: 1 },
    });
  });

  it.each(['/api/v1/calls/3.4', '/api/v1/calls/999.3', '/api/v1/calls/x', '/api/v1/calls/..%2f'])(
    '%s is not there',
    async (path) => {
      expect(await ask(path)).toMatchObject({ status: 404, body: { status: 404 } });
    },
  );

  it('are ended by DELETE', async () => {
    expect(await ask('/api/v1/calls/7.3', { method: 'DELETE' })).toMatchObject({
      status: 202,
      body: { id: '7.3' },
    });
    expect(await ask('/api/v1/calls/8.3', { method: 'DELETE' })).toMatchObject({ status: 404 });
  });
});

describe('registrations', () => {
  it('have the shape that tools rely on', async () => {
    const { body } = await ask('/api/v1/registrations');
    expect(body).toMatchObject({ total: 1, next: null });
    expect(body.registrations[0]).toMatchObject({
      aor: 'sip:1001@strowger.test',
      contact: 'sip:1001@192.0.2.7:5070',
      transport: 'udp',
      source: '192.0.2.7:5070',
      q: 1,
      userAgent: 'phone',
    });
    expect(body.registrations[0].expiresInS).toBeGreaterThan(50);
  });
});

describe('call detail records', () => {
  it('are kept when calls end, newest first, in pages', async () => {
    for (let i = 1; i <= 5; i++) {
      const ended = {
        state: abi.CALL_STATE_ENDED,
        callId: `ended-${i}`,
        startedUs: T0,
        answeredUs: T0 + 1e6,
        endedUs: T0 + 4e6,
        cause: 200,
        endedBy: abi.ENDED_BY_CALLEE,
      };
      node.realtime.effect({ kind: abi.EF_CALL, args: [abi.CALL_STATE_ENDED] }, callRecord(ended));
    }
    const first = (await ask('/api/v1/cdrs?limit=2')).body;
    expect(first.total).toBe(5);
    expect(first.cdrs.map((cdr: { callId: string }) => cdr.callId)).toEqual(['ended-5', 'ended-4']);
    expect(first.cdrs[0]).toMatchObject({
      startedAt: '2026-01-02T03:04:05.000Z',
      answeredAt: '2026-01-02T03:04:06.000Z',
      endedAt: '2026-01-02T03:04:09.000Z',
      durationMs: 3000,
      cause: 200,
      endedBy: 'callee',
    });
    const second = (await ask(`/api/v1/cdrs?limit=3&cursor=${first.next}`)).body;
    expect(second.cdrs.map((cdr: { callId: string }) => cdr.callId)).toEqual([
      'ended-3',
      'ended-2',
      'ended-1',
    ]);
    expect(second.next).toBeNull();
  });
});

describe('nodes', () => {
  it('names this node and the media process', async () => {
    expect((await ask('/api/v1/nodes')).body.nodes).toEqual([
      { id: 'test', role: 'active', pid: process.pid, epoch: 7, state: 'running' },
      { id: 'test-media', role: 'media', pid: 4242, epoch: 7, state: 'running' },
    ]);
  });
});

describe('bad requests', () => {
  it.each([
    ['/api/v1/calls?limit=0', 400, 'a whole number from 1 to 500'],
    ['/api/v1/calls?limit=x', 400, 'a whole number from 1 to 500'],
    ['/api/v1/calls?state=free', 400, '"invited", "ringing"'],
    ['/api/v1/calls?cursor=-1', 400, 'a cursor'],
    ['/api/v1/calls?limits=3', 400, 'Unknown parameter "limits"'],
    ['/api/v1/nothing', 404, 'openapi.json'],
  ])('%s', async (path, status, detail) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toContain(detail);
  });

  it('a method that is not allowed', async () => {
    const { status, headers } = await ask('/api/v1/calls/3.3', { method: 'PUT' });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET, DELETE');
  });
});

describe('metrics', () => {
  it('show the counters of the core, the stages and the media', async () => {
    const { counters } = node.realtime;
    counters[abi.C_CALLS_ACTIVE] = 3;
    counters[abi.C_BINDINGS] = 17;
    counters[abi.C_FINAL + 486 - 200] = 4;
    counters[abi.C_REQUESTS_IN + abi.METHOD_INVITE * 8 + abi.TRANSPORT_WS] = 12;
    counters[abi.C_RESPONSES_OUT + 2 * 8 + abi.TRANSPORT_UDP] = 11;
    const { body, headers } = await ask('/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    for (const line of [
      'strowger_calls_active 3',
      'strowger_bindings 17',
      'strowger_transactions_active 0',
      'strowger_call_final_total{code="486"} 4',
      'strowger_requests_total{direction="in",method="INVITE",transport="ws"} 12',
      'strowger_responses_total{direction="out",class="2xx",transport="udp"} 11',
      'strowger_media_legs{variant="plain"} 2',
      'strowger_stage_seconds_count{stage="setup"} 0',
      'strowger_budget_breaches_total{stage="media"} 0',
    ])
      expect(body).toContain(`\n${line}\n`);
    expect(body).toContain('process_cpu_seconds_total');
  });
});

describe('latency', () => {
  it('is given by stage against its budget, with what overload control does', async () => {
    const { counters } = node.realtime;
    counters[abi.C_ADMIT_LIMIT] = 1_500;
    counters[abi.C_SHED] = 7;
    const { body } = await ask('/api/v1/latency');
    expect(Object.keys(body.stages)).toEqual(['queue', 'core', 'setup', 'setup_media', 'media']);
    expect(body.stages.setup).toMatchObject({ budgetUs: 300 });
    expect(body.overload).toEqual({
      limitPerS: 1_500,
      shed: 7,
      unanswered: 0,
      limitedSource: 0,
      limitedUser: 0,
    });
    counters[abi.C_ADMIT_LIMIT] = 0;
    expect((await ask('/api/v1/latency')).body.overload.limitPerS).toBeNull();
  });
});

describe('the OpenAPI document', () => {
  it('describes every route and refers only to schemas it has', async () => {
    const { body } = await ask('/api/v1/openapi.json');
    expect(Object.keys(body.paths)).toEqual([
      '/healthz',
      '/readyz',
      '/metrics',
      '/api/v1/openapi.json',
      '/api/v1/nodes',
      '/api/v1/switchover',
      '/api/v1/restart',
      '/api/v1/latency',
      '/api/v1/calls',
      '/api/v1/calls/{id}',
      '/api/v1/registrations',
      '/api/v1/cdrs',
      '/api/v1/recordings',
      '/api/v1/recordings/{name}',
    ]);
    const references = [...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
      (match) => match[1],
    );
    expect(references.length).toBeGreaterThan(10);
    for (const name of references) expect(body.components.schemas).toHaveProperty(name!);
  });

  it('agrees with what is answered', async () => {
    const { Ajv2020 } = await import('ajv/dist/2020.js');
    const { body } = await ask('/api/v1/openapi.json');
    const ajv = new Ajv2020({ strict: false });
    const shapes = {
      Calls: '/api/v1/calls',
      CallDetail: '/api/v1/calls/3.3',
      Registrations: '/api/v1/registrations',
      Cdrs: '/api/v1/cdrs',
      Latency: '/api/v1/latency',
      Nodes: '/api/v1/nodes',
    };
    for (const [name, path] of Object.entries(shapes)) {
      const valid = ajv.compile(body.components.schemas[name]);
      valid((await ask(path)).body);
      expect([name, valid.errors]).toEqual([name, null]);
    }
  });
});
