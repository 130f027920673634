import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../assembly/rtp/abi.ts';
import { reportPacket } from './packets.ts';
import { PHONE, PHONE_PORT, Rig, SETTING } from './rig.ts';

const NAT = '203.0.113.7';
const STRANGER = '198.51.100.66';
const RTP_TOKEN = 0;
const emptyReport = reportPacket({ ssrc: 1, sender: null, blocks: [] });

describe('latching', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.create();
    rig.allocate(0);
  });

  it('takes nothing before the leg is configured', () => {
    expect(rig.phone()).toEqual([]);
    expect(rig.count(abi.K_NOT_LATCHED)).toBe(1);
    expect(rig.source()).toBeNull();
  });

  it('latches the remote of the SDP', () => {
    rig.configure(0);
    expect(rig.phone()).toHaveLength(1);
    expect(rig.source()).toBe(`${PHONE}:${PHONE_PORT}`);
  });

  it('latches a vouched address at any port, inside the window', () => {
    rig.configure(0, { vouched: [NAT] });
    rig.pass(SETTING.windowMs);
    expect(rig.phone({}, { address: NAT, port: 61_000 })).toHaveLength(1);
    expect(rig.source()).toBe(`${NAT}:61000`);
  });

  it('takes nothing from an address that nobody vouches for, not even later', () => {
    rig.configure(0, { vouched: [NAT] });
    expect(rig.phone({}, { address: STRANGER })).toEqual([]);
    rig.pass(60_000);
    expect(rig.phone({}, { address: STRANGER })).toEqual([]);
    expect(rig.phone({}, { address: PHONE, port: PHONE_PORT + 2 })).toEqual([]); // address of the SDP, not vouched
    expect(rig.count(abi.K_NOT_LATCHED)).toBe(3);
  });

  it('takes nothing from a vouched address between the end of the window and a long silence', () => {
    rig.configure(0, { vouched: [NAT] });
    rig.pass(SETTING.windowMs + 1);
    expect(rig.phone({}, { address: NAT })).toEqual([]);
    rig.pass(abi.RELATCH_SILENCE_MS);
    expect(rig.phone({}, { address: NAT })).toHaveLength(1);
  });

  it('latches the remote of the SDP whenever nothing is latched', () => {
    rig.configure(0);
    rig.pass(SETTING.windowMs + 1);
    expect(rig.phone()).toHaveLength(1);
  });

  it('keeps to the first source', () => {
    rig.configure(0, { vouched: [NAT] });
    rig.phone({}, { address: NAT, port: 5_000 });
    expect(rig.phone({}, { address: NAT, port: 5_002 })).toEqual([]);
    expect(rig.phone({}, { address: STRANGER, port: 5_000 })).toEqual([]);
    expect(rig.count(abi.K_WRONG_SOURCE)).toBe(2);
    expect(rig.phone({}, { address: NAT, port: 5_000 })).toHaveLength(1);
  });

  it('prefers the remote of the SDP to a vouched source inside the window, and not after it', () => {
    rig.configure(0);
    rig.phone({}, { port: 9_999 });
    expect(rig.phone()).toHaveLength(1);
    expect(rig.source()).toBe(`${PHONE}:${PHONE_PORT}`);
    expect(rig.phone({}, { port: 9_999 })).toEqual([]);

    rig.allocate(1);
    rig.configure(1);
    rig.phone({}, { port: 9_999, slot: 1 });
    rig.pass(SETTING.windowMs + 1);
    expect(rig.phone({}, { slot: 1 })).toEqual([]);
    expect(rig.source(1)).toBe(`${PHONE}:9999`);
  });

  it('is not latched by what is not valid RTP of a known payload type', () => {
    rig.configure(0);
    rig.receive(RTP_TOKEN, Buffer.from('garbage from the right place'), PHONE, PHONE_PORT);
    rig.step();
    rig.phone({ payloadType: 77 });
    rig.receive(RTP_TOKEN, emptyReport, PHONE, PHONE_PORT);
    rig.step();
    expect(rig.source()).toBeNull();
    expect(rig.count(abi.K_BAD_PACKET)).toBe(1);
    expect(rig.count(abi.K_UNKNOWN_PT)).toBe(1);
  });

  it('gives the place of a silent source to another vouched one', () => {
    rig.configure(0, { vouched: [NAT] });
    rig.phone({}, { address: NAT, port: 5_000 });
    rig.pass(abi.RELATCH_SILENCE_MS);
    expect(rig.phone({}, { address: NAT, port: 5_002 })).toEqual([]);
    rig.pass(1);
    expect(rig.phone({}, { address: STRANGER, port: 5_000 })).toEqual([]);
    expect(rig.phone({}, { address: NAT, port: 5_002 })).toHaveLength(1);
    expect(rig.source()).toBe(`${NAT}:5002`);
  });

  it('does not open the window again when the same is configured again', () => {
    rig.configure(0, { vouched: [NAT] });
    rig.phone({}, { address: NAT, port: 5_000 });
    rig.configure(0, { vouched: [NAT], send: false });
    expect(rig.phone({}, { address: NAT, port: 5_002 })).toEqual([]);
  });

  it('follows a new remote, taking the old source until the new one speaks', () => {
    rig.configure(0);
    rig.phone({ sequence: 1 });
    rig.configure(0, { remote: [PHONE, 6_000, 6_001] });
    expect(rig.phone({ sequence: 2 })).toHaveLength(1);
    expect(rig.phone({ sequence: 3 }, { port: 6_000 })).toHaveLength(1);
    expect(rig.source()).toBe(`${PHONE}:6000`);
    expect(rig.phone({ sequence: 4 })).toEqual([]);
  });

  it('opens the window for newly vouched addresses', () => {
    rig.configure(0, { vouched: [NAT] });
    rig.phone({}, { address: NAT, port: 5_000 });
    const roamed = '203.0.113.99';
    rig.configure(0, { vouched: [roamed] });
    expect(rig.phone({}, { address: roamed, port: 7_000 })).toHaveLength(1);
    expect(rig.phone({}, { address: NAT, port: 5_000 })).toEqual([]);
  });
});

describe('where media to the phone goes', () => {
  let rig: Rig;
  const to = () => rig.mediasoup()[0]?.to;
  beforeEach(async () => {
    rig = await Rig.create();
    rig.allocate(0);
  });

  it('nowhere without a remote, then to the remote, then to the latched source', () => {
    rig.configure(0, { remote: null, vouched: [NAT] });
    expect(to()).toBeUndefined();
    expect(rig.count(abi.K_NO_PATH)).toBe(1);
    rig.configure(0, { vouched: [NAT] });
    expect(to()).toBe(`${PHONE}:${PHONE_PORT}`);
    rig.phone({}, { address: NAT, port: 5_000 });
    expect(to()).toBe(`${NAT}:5000`);
  });

  it('to a new remote at once', () => {
    rig.configure(0);
    rig.phone();
    rig.configure(0, { remote: [PHONE, 6_000, 6_001] });
    expect(to()).toBe(`${PHONE}:6000`);
  });

  it('to the latched source when only the port of a remote behind NAT changes', () => {
    rig.configure(0, { vouched: [NAT] });
    rig.phone({}, { address: NAT, port: 5_000 });
    rig.configure(0, { vouched: [NAT], remote: [PHONE, 6_000, 6_001] });
    expect(to()).toBe(`${NAT}:5000`);
    rig.configure(0, { vouched: [NAT], remote: [STRANGER, 6_000, 6_001] }); // another device
    expect(to()).toBe(`${STRANGER}:6000`);
  });
});

describe('where RTCP is taken from', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.create();
    rig.allocate(0);
  });
  const taken = () => rig.count(abi.K_RTCP_IN);

  it('the remote of the SDP, even from a phone that only listens', () => {
    rig.configure(0);
    rig.rtcp(emptyReport);
    expect(taken()).toBe(1);
    rig.rtcp(emptyReport, { port: 7_777 });
    rig.rtcp(emptyReport, { address: STRANGER });
    expect(taken()).toBe(1);
    expect(rig.count(abi.K_NOT_LATCHED)).toBe(2);
  });

  it('the address that RTP was latched from, always the same port', () => {
    rig.configure(0, { vouched: [NAT] });
    rig.phone({}, { address: NAT, port: 5_000 });
    rig.rtcp(emptyReport, { address: NAT, port: 5_901 });
    rig.rtcp(emptyReport, { address: NAT, port: 5_901 });
    expect(taken()).toBe(2);
    rig.rtcp(emptyReport, { address: NAT, port: 5_902 });
    rig.rtcp(emptyReport, { address: STRANGER, port: 5_901 });
    expect(taken()).toBe(2);
    expect(rig.count(abi.K_WRONG_SOURCE)).toBe(2);
  });

  it('the source of RTP where both share a port', () => {
    rig.configure(0, { mux: true });
    rig.phone();
    rig.receive(RTP_TOKEN, emptyReport, PHONE, PHONE_PORT);
    rig.receive(RTP_TOKEN, emptyReport, PHONE, PHONE_PORT + 5);
    rig.step();
    expect(taken()).toBe(1);
  });
});
