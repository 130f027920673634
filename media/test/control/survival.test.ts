/** Calls that are told of another transport, or built again from what the process before has kept. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Call, type SdpInput } from '../../control/call.ts';
import { CallTable } from '../../control/call-table.ts';
import { LEG_ANY } from '../../control/exchange.ts';
import { Offers } from '../../control/offers.ts';
import { CallStore } from '../../control/store.ts';
import type { OfferEvent } from '../../protocol.ts';
import { browserAnswer, CHROMIUM, plainBody } from '../support/bodies.ts';
import { FakeEngine } from '../support/fake-engine.ts';

const PHONE = plainBody({ address: '192.0.2.2', port: 5000 });

let engine: FakeEngine;
let folder: string;
let told: OfferEvent[];

beforeEach(() => {
  engine = new FakeEngine();
  told = [];
  folder = mkdtempSync(join(tmpdir(), 'strowger-store-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function table(store: CallStore | null = null): CallTable {
  return new CallTable(engine, 10, new Offers((event) => told.push(event)), store);
}

function storeOf(isNew: boolean): CallStore {
  return new CallStore(join(folder, 'calls.sqlite'), isNew, (error) => {
    throw error;
  });
}

const fromBrowser: SdpInput = {
  leg: 0,
  legVariant: 'webrtc',
  targetLeg: LEG_ANY,
  targetVariants: ['plain'],
  method: 'INVITE',
  cseq: 1,
  status: 0,
  sdp: CHROMIUM,
  source: '192.0.2.1',
};
const fromPhone: SdpInput = {
  ...fromBrowser,
  leg: 1,
  legVariant: 'plain',
  targetLeg: 0,
  targetVariants: ['webrtc'],
  status: 200,
  sdp: PHONE,
};

/** A browser calls a phone; the answer that the browser got. */
async function talk(calls: CallTable, id = '1.1'): Promise<string> {
  await calls.sdp(id, fromBrowser);
  const outcome = await calls.sdp(id, fromPhone);
  if (outcome.status !== 200) throw new Error(outcome.reason);
  return outcome.bodies.webrtc!;
}

const origin = (sdp: string) => /^o=\S+ (\d+) (\d+)/m.exec(sdp)!.slice(1).map(Number);

describe('a browser whose transport was replaced', () => {
  test('is offered what is agreed over the new one, as the next version of the description', async () => {
    const calls = table();
    const answer = await talk(calls);
    engine.onReplaced([engine.endpoints[0]!]);
    await calls.closeLeg('1.1', 9); // what is done before has been done then
    const [offer] = told;
    expect(offer).toMatchObject({ call: '1.1', leg: 0 });
    const [id, version] = origin(answer);
    expect(origin(offer!.sdp)).toEqual([id, version! + 1]);
    // Else it is what the browser had as an answer, but for the role in DTLS.
    const terms = (sdp: string) => sdp.replace(/^o=.*$/m, '').replace(/^a=setup:.*$/m, '');
    expect(terms(offer!.sdp)).toBe(terms(answer));
    expect(offer!.sdp).toContain('a=setup:actpass');
  });

  test('is believed what it answers, once', async () => {
    const calls = table();
    await talk(calls);
    engine.onReplaced([engine.endpoints[0]!]);
    await calls.closeLeg('1.1', 9);
    const { id } = told[0]!;
    const sdp = browserAnswer('0', []).replace(/a=ice-ufrag:\S+/, 'a=ice-ufrag:other');
    await calls.offered('1.1', 0, id, 200, sdp);
    expect(engine.endpoints[0]!.flow!.remote.webrtc!.iceUfrag).toBe('other');
    await calls.offered('1.1', 0, id, 200, CHROMIUM);
    expect(engine.endpoints[0]!.flow!.remote.webrtc!.iceUfrag).toBe('other');
  });

  test('that has not answered yet is offered it after its answer', async () => {
    const calls = table();
    await calls.sdp('1.1', { ...fromBrowser, legVariant: 'plain', sdp: PHONE, targetVariants: ['webrtc'] });
    engine.onReplaced([engine.endpoints[1]!]);
    await calls.closeLeg('1.1', 9);
    expect(told).toEqual([]);
    const answer = browserAnswer('0', []);
    await calls.sdp('1.1', { ...fromPhone, legVariant: 'webrtc', sdp: answer, targetVariants: ['plain'] });
    expect(told.map(({ leg }) => leg)).toEqual([1]);
  });
});

describe('calls of a process that died', () => {
  test('are as they were: ports, agreement, descriptions, repetitions', async () => {
    const before = storeOf(true);
    const calls = table(before);
    const answer = await talk(calls);
    before.close();
    const state = engine.endpoints.map(({ variant, flow }) => ({ variant, flow }));
    const port = (engine.endpoints[1]!.local as { rtpPort: number }).rtpPort;

    engine = new FakeEngine();
    const after = storeOf(false);
    const again = table(after);
    for (const [name, kept] of after.calls()) await again.restore(name, kept);
    expect(engine.endpoints.map(({ variant, flow }) => ({ variant, flow }))).toEqual(state);
    expect(engine.endpoints[0]!.peer).toBe(engine.endpoints[1]!);
    expect(engine.reopened).toContain(port);
    expect(again.restored).toBe(1);
    // The browser is offered another transport, the phone nothing.
    expect(told.map(({ leg }) => leg)).toEqual([0]);
    const repeated = await again.sdp('1.1', fromPhone);
    expect(repeated).toEqual({ status: 200, bodies: { webrtc: answer } });
    const hold = { ...fromPhone, cseq: 7, status: 0, sdp: PHONE.replace('sendrecv', 'sendonly') };
    const held = await again.sdp('1.1', hold);
    expect(held.status === 200 && origin(held.bodies.webrtc!)[0]).toBe(origin(answer)[0]);
    after.close();
  });

  test('are closed when the node says that they have ended meanwhile; calls made since are not', async () => {
    const before = storeOf(true);
    const first = table(before);
    for (const id of ['1.1', '2.1', '3.1']) await talk(first, id);
    await first.close('3.1');
    before.close();
    const after = storeOf(false);
    const again = table(after);
    for (const [name, kept] of after.calls()) await again.restore(name, kept);
    await talk(again, '4.1');
    await again.keep(new Set(['1.1']), true);
    expect([...again.entries()].map(([id]) => id)).toEqual(['1.1', '4.1']);
    expect([...after.calls()].map(([id]) => id)).toEqual(['1.1', '4.1']);
    after.close();
  });

  test('that can not be built again are no more', async () => {
    const { state } = new Call(engine);
    const again = table();
    engine.endpointsMax = 0;
    const broken = { ...state, pts: [], all: [{ variant: 'plain', rtpPort: 4 }] } as unknown as typeof state;
    await expect(again.restore('1.1', broken)).rejects.toThrow();
    expect(again.size).toBe(0);
  });

  test('of another run of the switch are forgotten, and nobody else can read the file', async () => {
    const before = storeOf(true);
    await talk(table(before));
    for (const name of ['calls.sqlite', 'calls.sqlite-wal'])
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    before.close();
    const after = storeOf(true);
    expect([...after.calls()]).toEqual([]);
    after.close();
  });
});
