/**
 * What the packet core is told about a leg, as the blocks of bytes that it reads (wasm-core/assembly/rtp/abi.ts).
 */
import { randomBytes } from 'node:crypto';
import * as abi from '../../wasm-core/assembly/rtp/abi.ts';
import { isUnspecified, parseAddress } from '../../wasm-core/host/address.ts';
import type { EdgeLegConfig } from './types.ts';

const U32_MAX = 0xffffffff;

function inRange(what: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${what} ${value} is not ${min} to ${max}`);
}

function address(what: string, text: string): Uint8Array {
  const bytes = parseAddress(text);
  if (bytes === null) throw new RangeError(`${what} '${text}' is not an IP address`);
  return bytes;
}

/** What a leg begins with: everything that no outsider should be able to guess (RFC 3550 5.1, RFC 7022). */
export function allocationBlock(): Uint8Array {
  const block = new Uint8Array(abi.ALLOC_BYTES);
  block.set(randomBytes(abi.ALLOC_CNAME));
  block.set(Buffer.from(randomBytes(12).toString('base64'), 'ascii'), abi.ALLOC_CNAME);
  return block;
}

/**
 * @param peerSlot of the leg that `config.peer` names, null when there is none (any more).
 * @throws RangeError that names the value which is out of range.
 */
export function configurationBlock(config: EdgeLegConfig, peerSlot: number | null): Uint8Array {
  const block = new Uint8Array(abi.CFG_BYTES);
  const view = new DataView(block.buffer);
  view.setUint32(abi.CFG_IN_SSRC, inRange('inSsrc', config.inSsrc, 0, U32_MAX), true);
  view.setUint32(abi.CFG_WINDOW_MS, inRange('latchWindowMs', config.latchWindowMs, 0, 3_600_000), true);
  let flags = (config.sendEnabled ? abi.CFGF_SEND : 0) | (config.receiveEnabled ? abi.CFGF_RECEIVE : 0);
  if (config.remote !== null) flags |= writeRemote(block, view, config.remote);
  if (config.mediasoup !== null) flags |= writeMediasoup(block, view, config.mediasoup);
  view.setUint32(abi.CFG_FLAGS, flags, true);
  view.setUint32(abi.CFG_PEER, peerSlot === null ? 0 : peerSlot + 1, true);
  writeVouched(block, view, config.vouched);
  writeTypes(block, abi.CFG_IN_PT, 'inPts', config.inPts);
  writeTypes(block, abi.CFG_OUT_PT, 'outPts', config.outPts);
  for (const [pt, rate] of config.clockRates) {
    const at = abi.CFG_CLOCK + 4 * inRange('payload type in clockRates', pt, 0, 127);
    view.setUint32(at, inRange('clock rate', rate, 1, U32_MAX), true);
  }
  return block;
}

/** A remote at 0.0.0.0 or :: is none: that is how hold was written before RFC 3264. */
function writeRemote(
  block: Uint8Array,
  view: DataView,
  remote: NonNullable<EdgeLegConfig['remote']>,
): number {
  const bytes = address('remote', remote.address);
  if (isUnspecified(bytes)) return 0;
  block.set(bytes, abi.CFG_REMOTE);
  view.setUint16(abi.CFG_REMOTE_RTP, inRange('rtpPort', remote.rtpPort, 1, 65_535), true);
  view.setUint16(abi.CFG_REMOTE_RTCP, inRange('rtcpPort', remote.rtcpPort, 1, 65_535), true);
  return abi.CFGF_REMOTE | (remote.rtcpMux ? abi.CFGF_RTCP_MUX : 0);
}

function writeMediasoup(block: Uint8Array, view: DataView, side: { ip: string; port: number }): number {
  block.set(address('address of mediasoup', side.ip), abi.CFG_MEDIASOUP);
  view.setUint16(abi.CFG_MEDIASOUP_PORT, inRange('port of mediasoup', side.port, 1, 65_535), true);
  return abi.CFGF_MEDIASOUP;
}

function writeVouched(block: Uint8Array, view: DataView, vouched: readonly string[]): void {
  const different = [...new Set(vouched)];
  inRange('number of vouched addresses', different.length, 0, abi.VOUCHED_MAX);
  view.setUint16(abi.CFG_VOUCHED_COUNT, different.length, true);
  different.forEach((text, i) => {
    block.set(address('vouched address', text), abi.CFG_VOUCHED + 16 * i);
  });
}

function writeTypes(
  block: Uint8Array,
  at: number,
  name: string,
  pairs: readonly (readonly [number, number])[],
): void {
  block.fill(abi.PT_NONE, at, at + 128);
  for (const [from, to] of pairs) {
    block[at + inRange(`payload type in ${name}`, from, 0, 127)] = inRange(
      `payload type in ${name}`,
      to,
      0,
      127,
    );
  }
}
