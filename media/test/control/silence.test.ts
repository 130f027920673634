import { beforeEach, expect, test } from 'vitest';
import { CallTable } from '../../control/call-table.ts';
import { lookEveryMs, SilenceWatch } from '../../control/silence.ts';
import { plainBody } from '../support/bodies.ts';
import { FakeEngine } from '../support/fake-engine.ts';

let engine: FakeEngine;
let calls: CallTable;
let silent: string[];
let watch: SilenceWatch;

beforeEach(() => {
  engine = new FakeEngine();
  calls = new CallTable(engine, 10);
  silent = [];
  watch = new SilenceWatch(calls, 10, (call) => silent.push(call));
});

async function sdp(leg: number, status: number, lines: string[] = [], cseq = 1): Promise<void> {
  const outcome = await calls.sdp('1.1', {
    leg,
    legVariant: 'plain',
    targetLeg: leg === 0 && cseq === 1 ? 255 : 1 - leg,
    targetVariants: ['plain'],
    method: 'INVITE',
    cseq,
    status,
    sdp: plainBody({ lines }),
    source: '192.0.2.1',
  });
  expect(outcome.status).toBe(200);
}

async function lookAt(...seconds: number[]): Promise<void> {
  for (const second of seconds) await watch.look(second * 1000);
}

test('a call is reported once, when nothing has come for the time', async () => {
  await sdp(0, 0);
  await sdp(1, 200);
  await lookAt(0, 5, 9.9);
  expect(silent).toEqual([]);
  await lookAt(10);
  expect(silent).toEqual(['1.1']);
  await lookAt(20, 40);
  expect(silent).toEqual(['1.1']);
});

test('media of either side counts', async () => {
  await sdp(0, 0);
  await sdp(1, 200);
  await lookAt(0);
  engine.endpoints[1]!.packetsIn = 1;
  await lookAt(9, 18.9);
  expect(silent).toEqual([]);
  await lookAt(19);
  expect(silent).toEqual(['1.1']);
});

test('on hold nobody has to speak, and afterwards the time begins anew', async () => {
  await sdp(0, 0);
  await sdp(1, 200);
  await lookAt(0);
  await sdp(0, 0, ['a=sendonly'], 2);
  await sdp(1, 200, ['a=recvonly'], 2);
  await lookAt(30);
  await sdp(0, 0, [], 3);
  await sdp(1, 200, [], 3);
  await lookAt(39.9);
  expect(silent).toEqual([]);
  await lookAt(40);
  expect(silent).toEqual(['1.1']);
});

test('a call that nobody has answered is left alone; with early media it is reported again and again', async () => {
  await sdp(0, 0);
  await lookAt(0, 100);
  expect(silent).toEqual([]);
  await sdp(1, 183);
  await lookAt(200, 210, 215, 220);
  expect(silent).toEqual(['1.1', '1.1']);
});

test.each([
  [1, 250],
  [8, 1_000],
  [120, 5_000],
])('with %d s it looks every %d ms', (timeoutS, ms) => {
  expect(lookEveryMs(timeoutS)).toBe(ms);
});
