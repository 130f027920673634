import { expect, test } from 'vitest';
import { type SdpOutcome, CallTable } from '../../control/call-table.ts';
import { plainBody } from '../support/bodies.ts';
import { FakeEngine } from '../support/fake-engine.ts';

function invite(calls: CallTable, id: string, sdp = plainBody()): Promise<SdpOutcome> {
  return calls.sdp(id, {
    leg: 0,
    legVariant: 'plain',
    targetLeg: 255,
    targetVariants: ['plain'],
    method: 'INVITE',
    cseq: 1,
    status: 0,
    sdp,
    source: '192.0.2.1',
  });
}

test('when it is full, a further call gets 503', async () => {
  const calls = new CallTable(new FakeEngine(), 2);
  await invite(calls, '1.1');
  await invite(calls, '2.1');
  expect(await invite(calls, '3.1')).toEqual({ status: 503, reason: 'too many calls' });
  await calls.close('1.1');
  expect(await invite(calls, '3.1')).toMatchObject({ status: 200 });
});

test('a call whose offer is refused leaves no entry', async () => {
  const calls = new CallTable(new FakeEngine(), 2);
  expect(await invite(calls, '1.1', 'nonsense')).toMatchObject({ status: 400 });
  expect(await invite(calls, '1.1', plainBody({ formats: '3' }))).toMatchObject({ status: 488 });
  expect(calls.size).toBe(0);
});

test('a call that was closed is not opened anew by what comes late', async () => {
  const calls = new CallTable(new FakeEngine(), 2);
  await invite(calls, '1.1');
  await calls.close('1.1');
  expect(await invite(calls, '1.1')).toEqual({ status: 488, reason: 'the call has ended' });
  expect(await invite(calls, '1.2')).toMatchObject({ status: 200 });
});

test('without ports: 503, and what was opened is given back', async () => {
  const engine = new FakeEngine();
  engine.endpointsMax = 0;
  const calls = new CallTable(engine, 2);
  expect(await invite(calls, '1.1')).toMatchObject({ status: 503, reason: 'no free port' });
  expect(calls.size).toBe(0);
  expect(engine.closed).toBe(true);
});

test('what breaks inside is a 500 with its error', async () => {
  const engine = new FakeEngine();
  engine.open = () => Promise.reject(new Error('broken'));
  expect(await invite(new CallTable(engine, 1), '1.1')).toMatchObject({
    status: 500,
    reason: 'broken',
    error: expect.any(Error),
  });
});

test('closing what is not there does nothing', async () => {
  const calls = new CallTable(new FakeEngine(), 2);
  await calls.close('9.9');
  await calls.closeLeg('9.9', 1);
  expect(await calls.stats('9.9')).toEqual([]);
});

test('a node that begins again gives the names of ended calls anew', async () => {
  const calls = new CallTable(new FakeEngine(), 2);
  await invite(calls, '1.1');
  await calls.close('1.1');
  await invite(calls, '2.1');
  await calls.closeAll();
  expect(await invite(calls, '1.1')).toMatchObject({ status: 200 });
  expect(await invite(calls, '2.1')).toMatchObject({ status: 200 });
});
