/** Phone to phone inside the edge. */
import { beforeEach, expect, it } from 'vitest';
import * as abi from '../../assembly/rtp/abi.ts';
import { readRtp } from './packets.ts';
import { CONSUMER_SSRC, type LegSetting, OUT_SSRC, PHONE, PHONE_PORT, Rig } from './rig.ts';

const OTHER = '192.0.2.20';
const OTHER_PORT = 5_000;
/** What the other phone calls the same codecs: events are 97 there, and it has no codec 111. */
const OTHER_SETTING: Partial<LegSetting> = {
  vouched: [OTHER],
  remote: [OTHER, OTHER_PORT, OTHER_PORT + 1],
  inPts: [
    [0, 100],
    [97, 110],
  ],
  outPts: [
    [100, 0],
    [110, 97],
  ],
  clocks: [
    [0, 8_000],
    [97, 8_000],
  ],
  inSsrc: 0x33333333,
  peer: 0,
};

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.create();
  rig.allocate(0);
  rig.allocate(1);
  first();
  second();
});
const first = (over: Partial<LegSetting> = {}) => rig.configure(0, { mediasoupPort: null, peer: 1, ...over });
const second = (over: Partial<LegSetting> = {}) =>
  rig.configure(1, { ...OTHER_SETTING, mediasoupPort: null, ...over });
/** From the first phone, and from the second. */
const say = (sequence: number, payloadType = 0) =>
  rig.phone({ sequence, timestamp: 160 * sequence, payloadType });
const reply = (sequence: number, payloadType = 0) =>
  rig.phone(
    { sequence, timestamp: 160 * sequence, payloadType },
    { address: OTHER, port: OTHER_PORT, slot: 1 },
  );
const read = (sent: ReturnType<Rig['phone']>) => sent.map(({ bytes }) => readRtp(bytes));

it('carries packets from phone to phone, from the port and with the SSRC of the leg that sends', () => {
  const [there] = say(1);
  expect(there).toMatchObject({ token: 2, to: `${OTHER}:${OTHER_PORT}` });
  expect(readRtp(there!.bytes)).toMatchObject({ ssrc: OUT_SSRC + 1, payloadType: 0, marker: true });
  const [back] = reply(1);
  expect(back).toMatchObject({ token: 0, to: `${PHONE}:${PHONE_PORT}` });
  expect(readRtp(back!.bytes)).toMatchObject({ ssrc: OUT_SSRC, payloadType: 0 });
  expect(read(say(2))[0]).toMatchObject({ marker: false });
});

it('maps payload types between the phones, and closes up what the other does not know', () => {
  const [before] = read(say(1));
  expect(read(say(2, 101))[0]).toMatchObject({ payloadType: 97 });
  expect(read(reply(1, 97))[0]).toMatchObject({ payloadType: 101 });
  expect(say(3, 96)).toEqual([]);
  expect(rig.count(abi.K_UNKNOWN_PT)).toBe(1);
  expect(read(say(4))[0]!.sequence).toBe(before!.sequence + 2);
});

it('keeps loss and order of the sender visible', () => {
  const [one] = read(say(10));
  const [three] = read(say(12));
  const [two] = read(say(11));
  expect([two!.sequence, three!.sequence]).toEqual([one!.sequence + 1, one!.sequence + 2]);
  expect(three!.timestamp - one!.timestamp).toBe(320);
});

it('counts on both legs', () => {
  for (let n = 1; n <= 5; n++) if (n !== 3) say(n);
  expect(rig.stat(abi.S_PACKETS_IN)).toBe(4);
  expect(rig.stat(abi.S_LOST)).toBe(1);
  expect(rig.stat(abi.S_PACKETS_OUT, 1)).toBe(4);
  expect(rig.stat(abi.S_PACKETS_OUT)).toBe(0);
});

it('goes over to mediasoup and back as one stream', () => {
  const [last] = read(say(1));
  rig.pass(20);
  second({ mediasoupPort: 40_002, peer: null });
  first({ mediasoupPort: 40_000, peer: null });
  expect(say(2)[0]!.token).toBe(abi.TOKEN_MEDIASOUP);
  const [by] = read(rig.mediasoup({ sequence: 900, timestamp: 1, ssrc: CONSUMER_SSRC }, 40_002));
  expect(by).toMatchObject({
    ssrc: OUT_SSRC + 1,
    sequence: last!.sequence + 1,
    timestamp: last!.timestamp + 160,
  });
  rig.pass(20);
  second();
  first();
  expect(read(say(3))[0]).toMatchObject({
    ssrc: OUT_SSRC + 1,
    sequence: last!.sequence + 2,
    timestamp: last!.timestamp + 320,
  });
});

it('a phone that is another source after a while goes on in the same stream', () => {
  const [last] = read(say(1));
  rig.pass(abi.RELATCH_SILENCE_MS + 1_000);
  const [next] = read(rig.phone({ ssrc: 77, sequence: 40_000, timestamp: 3 }, { port: 4_444 }));
  expect(next).toMatchObject({ ssrc: OUT_SSRC + 1, sequence: last!.sequence + 1, marker: true });
  expect(next!.timestamp - last!.timestamp).toBe(8 * (abi.RELATCH_SILENCE_MS + 1_000));
});

it('takes nothing from strangers', () => {
  expect(rig.phone({}, { address: '203.0.113.9' })).toEqual([]);
  say(1);
  expect(rig.phone({ sequence: 2 }, { port: 4_444 })).toEqual([]);
  expect(rig.count(abi.K_WRONG_SOURCE)).toBe(1);
});

it('on hold nothing goes the way that was switched off', () => {
  first({ send: false });
  second({ receive: false });
  expect(reply(1)).toEqual([]);
  expect(say(1)).toHaveLength(1);
  expect(rig.count(abi.K_HELD)).toBe(1);
});

it('only legs that name each other hear each other: a slot may have been given to another call', () => {
  say(1);
  rig.core.free(1);
  expect(say(2)).toEqual([]);
  rig.allocate(1);
  second({ peer: null });
  expect(say(3)).toEqual([]);
  rig.allocate(2);
  second({ peer: 2 });
  expect(say(4)).toEqual([]);
  expect(reply(1)).toEqual([]);
  expect(rig.count(abi.K_NO_PATH)).toBe(4);
});
