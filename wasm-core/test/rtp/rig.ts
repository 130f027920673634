/** The packet core with its clock in the test's hands: datagrams in, datagrams out. */
import { readFileSync } from 'node:fs';
import * as frame from '../../assembly/abi.ts';
import * as abi from '../../assembly/rtp/abi.ts';
import { formatAddress, parseAddress } from '../../host/address.ts';
import { EdgeCore } from '../../host/edge-core.ts';
import { isRtcp, type RtpFields, rtpPacket } from './packets.ts';

const WASM = new URL('../../../build/edge.wasm', import.meta.url);

export const PHONE = '192.0.2.10';
export const PHONE_PORT = 4_000;
export const MEDIASOUP = '127.0.0.1';
export const IN_SSRC = 0x11111111;
export const OUT_SSRC = 0x0badcafe;
export const PHONE_SSRC = 0xaaaa0001;
export const CONSUMER_SSRC = 0xbbbb0001;
export const START_US = 1_800_000_000_000_000;

export interface Sent {
  token: number;
  bytes: Buffer;
  to: string;
}

export interface LegSetting {
  vouched: string[];
  remote: [address: string, rtpPort: number, rtcpPort: number] | null;
  mux: boolean;
  inPts: [number, number][];
  outPts: [number, number][];
  clocks: [number, number][];
  mediasoupPort: number | null;
  /** Slot of the leg that hears this one inside the edge. */
  peer: number | null;
  inSsrc: number;
  windowMs: number;
  send: boolean;
  receive: boolean;
}

export const SETTING: LegSetting = {
  vouched: [PHONE],
  remote: [PHONE, PHONE_PORT, PHONE_PORT + 1],
  mux: false,
  inPts: [
    [0, 100],
    [96, 111],
    [101, 110],
  ],
  outPts: [
    [100, 0],
    [111, 96],
    [110, 101],
  ],
  clocks: [
    [0, 8_000],
    [96, 48_000],
    [101, 8_000],
  ],
  mediasoupPort: 40_000,
  peer: null,
  inSsrc: IN_SSRC,
  windowMs: 2_000,
  send: true,
  receive: true,
};

export function configBlock(setting: LegSetting): Uint8Array {
  const block = new Uint8Array(abi.CFG_BYTES);
  const view = new DataView(block.buffer);
  const { remote, mediasoupPort } = setting;
  const flags =
    (setting.send ? abi.CFGF_SEND : 0) |
    (setting.receive ? abi.CFGF_RECEIVE : 0) |
    (setting.mux ? abi.CFGF_RTCP_MUX : 0) |
    (remote === null ? 0 : abi.CFGF_REMOTE) |
    (mediasoupPort === null ? 0 : abi.CFGF_MEDIASOUP);
  view.setUint32(abi.CFG_FLAGS, flags, true);
  view.setUint32(abi.CFG_IN_SSRC, setting.inSsrc, true);
  view.setUint32(abi.CFG_PEER, setting.peer === null ? 0 : setting.peer + 1, true);
  view.setUint32(abi.CFG_WINDOW_MS, setting.windowMs, true);
  if (remote !== null) {
    block.set(parseAddress(remote[0])!, abi.CFG_REMOTE);
    view.setUint16(abi.CFG_REMOTE_RTP, remote[1], true);
    view.setUint16(abi.CFG_REMOTE_RTCP, remote[2], true);
  }
  block.set(parseAddress(MEDIASOUP)!, abi.CFG_MEDIASOUP);
  view.setUint16(abi.CFG_MEDIASOUP_PORT, mediasoupPort ?? 0, true);
  view.setUint16(abi.CFG_VOUCHED_COUNT, setting.vouched.length, true);
  setting.vouched.forEach((address, i) => {
    block.set(parseAddress(address)!, abi.CFG_VOUCHED + 16 * i);
  });
  block.fill(abi.PT_NONE, abi.CFG_IN_PT, abi.CFG_CLOCK);
  for (const [from, to] of setting.inPts) block[abi.CFG_IN_PT + from] = to;
  for (const [from, to] of setting.outPts) block[abi.CFG_OUT_PT + from] = to;
  for (const [pt, rate] of setting.clocks) view.setUint32(abi.CFG_CLOCK + 4 * pt, rate, true);
  return block;
}

export class Rig {
  nowUs = START_US;
  readonly core: EdgeCore;
  #filled = 0;

  static async create(legsMax = 4): Promise<Rig> {
    return new Rig(await EdgeCore.create(readFileSync(WASM), { legsMax }));
  }

  private constructor(core: EdgeCore) {
    this.core = core;
  }

  pass(ms: number): void {
    this.nowUs += ms * 1_000;
  }

  allocate(slot: number, over: { sequenceOut?: number; timestampOut?: number } = {}): boolean {
    const block = new Uint8Array(abi.ALLOC_BYTES);
    const view = new DataView(block.buffer);
    view.setUint32(abi.ALLOC_SSRC, OUT_SSRC + slot, true);
    view.setUint32(abi.ALLOC_SEQUENCE_OUT, over.sequenceOut ?? 999, true);
    view.setUint32(abi.ALLOC_TIMESTAMP_OUT, over.timestampOut ?? 5_000, true);
    view.setUint32(abi.ALLOC_SEQUENCE_IN, 1_999, true);
    view.setUint32(abi.ALLOC_TIMESTAMP_IN, 7_000, true);
    block.set(Buffer.from(`cname-of-leg-${slot}..`.slice(0, 16)), abi.ALLOC_CNAME);
    return this.core.allocate(slot, block, this.nowUs);
  }

  configure(slot: number, over: Partial<LegSetting> = {}): boolean {
    return this.core.configure(slot, configBlock({ ...SETTING, ...over }), this.nowUs);
  }

  /** A datagram in the next receive slot. */
  receive(token: number, bytes: Uint8Array, address: string, port: number): void {
    const at = this.core.slotsPtr + this.#filled++ * abi.EDGE_SLOT_BYTES;
    const view = new DataView(this.core.memory.buffer);
    view.setUint32(at + frame.F_LENGTH, bytes.length, true);
    view.setUint32(at + frame.F_FLOW, token, true);
    view.setUint16(at + frame.F_PORT, port, true);
    this.core.bytes.set(parseAddress(address)!, at + frame.F_ADDRESS);
    this.core.bytes.set(bytes, at + frame.FRAME_HEADER_BYTES);
  }

  step(): Sent[] {
    const count = this.core.step(this.#filled, this.nowUs);
    this.#filled = 0;
    return Array.from({ length: count }, (_, i) => {
      const at = (this.core.outputPtr + i * abi.OUT_BYTES) >> 2;
      const word = (offset: number) => this.core.u32[at + (offset >> 2)]!;
      const ptr = word(abi.OUT_PTR);
      const address = word(abi.OUT_ADDRESS);
      return {
        token: word(abi.OUT_TOKEN),
        bytes: Buffer.from(this.core.bytes.slice(ptr, ptr + word(abi.OUT_LENGTH))),
        to: `${formatAddress(this.core.bytes.subarray(address, address + 16))}:${word(abi.OUT_PORT)}`,
      };
    });
  }

  /** One RTP packet from a phone, in a step of its own. Returns the RTP that is sent for it. */
  phone(
    fields: Partial<RtpFields> = {},
    from: { address?: string; port?: number; slot?: number } = {},
  ): Sent[] {
    const packet = rtpPacket({ payloadType: 0, sequence: 1, timestamp: 160, ssrc: PHONE_SSRC, ...fields });
    this.receive((from.slot ?? 0) << 1, packet, from.address ?? PHONE, from.port ?? PHONE_PORT);
    return this.step().filter(({ bytes }) => !isRtcp(bytes));
  }

  /** One RTP packet from mediasoup, likewise. */
  mediasoup(fields: Partial<RtpFields> = {}, port = SETTING.mediasoupPort!): Sent[] {
    const packet = rtpPacket({
      payloadType: 100,
      sequence: 1,
      timestamp: 160,
      ssrc: CONSUMER_SSRC,
      ...fields,
    });
    this.receive(abi.TOKEN_MEDIASOUP, packet, MEDIASOUP, port);
    return this.step().filter(({ bytes }) => !isRtcp(bytes));
  }

  /** A datagram from the phone's RTCP port, in a step of its own. */
  rtcp(packet: Uint8Array, from: { address?: string; port?: number } = {}): Sent[] {
    this.receive(abi.TOKEN_RTCP, packet, from.address ?? PHONE, from.port ?? PHONE_PORT + 1);
    return this.step();
  }

  count(counter: number): number {
    return this.core.counters[counter]!;
  }

  stat(offset: number, slot = 0): number {
    const record = this.core.stats(slot, this.nowUs);
    if (record === 0) throw new Error(`no leg in slot ${slot}`);
    return new DataView(this.core.memory.buffer).getFloat64(record + offset, true);
  }

  /** Latched source of a leg, null when there is none. */
  source(slot = 0): string | null {
    const record = this.core.stats(slot, this.nowUs);
    const view = new DataView(this.core.memory.buffer);
    if (view.getUint32(record + abi.S_LATCHED, true) === 0) return null;
    const address = this.core.bytes.subarray(record + abi.S_ADDRESS, record + abi.S_ADDRESS + 16);
    return `${formatAddress(address)}:${view.getUint32(record + abi.S_PORT, true)}`;
  }
}
