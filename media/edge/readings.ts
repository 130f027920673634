/**
 * Statistics and counters as the packet core writes them (wasm-core/assembly/rtp/abi.ts), read.
 */
import * as abi from '../../wasm-core/assembly/rtp/abi.ts';
import { formatAddress, formatHostPort } from '../../wasm-core/host/address.ts';
import { HOST_SEND_FAILED, HOST_TRUNCATED } from './commands.ts';
import type { EdgeLegStats, EdgeTotals } from './types.ts';

/** Names of the causes for which datagrams are dropped. */
const DROPS: readonly (readonly [name: string, counter: number])[] = [
  ['notLatched', abi.K_NOT_LATCHED],
  ['wrongSource', abi.K_WRONG_SOURCE],
  ['badPacket', abi.K_BAD_PACKET],
  ['unknownPt', abi.K_UNKNOWN_PT],
  ['noLeg', abi.K_NO_LEG],
  ['held', abi.K_HELD],
  ['noPath', abi.K_NO_PATH],
  ['badSequence', abi.K_BAD_SEQUENCE],
  ['truncated', abi.K_COUNT + HOST_TRUNCATED],
  ['sendFailed', abi.K_COUNT + HOST_SEND_FAILED],
];

/** Reads S_* records; `idOf` gives the leg of a slot. */
export function readStats(records: Uint8Array, idOf: ReadonlyMap<number, number>): EdgeLegStats[] {
  const found: EdgeLegStats[] = [];
  for (let at = 0; at + abi.S_BYTES <= records.length; at += abi.S_BYTES) {
    const record = records.subarray(at, at + abi.S_BYTES);
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    const id = idOf.get(view.getUint32(abi.S_SLOT, true));
    if (id !== undefined) found.push(readLeg(id, record, view));
  }
  return found;
}

function readLeg(id: number, record: Uint8Array, view: DataView): EdgeLegStats {
  const number = (offset: number) => view.getFloat64(offset, true);
  const known = (offset: number) => (number(offset) < 0 ? null : number(offset));
  const address = formatAddress(record.subarray(abi.S_ADDRESS, abi.S_ADDRESS + 16));
  const latched = view.getUint32(abi.S_LATCHED, true) === 1;
  return {
    id,
    remote: latched ? formatHostPort(address, view.getUint32(abi.S_PORT, true)) : null,
    packetsIn: number(abi.S_PACKETS_IN),
    packetsOut: number(abi.S_PACKETS_OUT),
    bytesIn: number(abi.S_BYTES_IN),
    bytesOut: number(abi.S_BYTES_OUT),
    lost: Math.max(0, number(abi.S_LOST)),
    expected: number(abi.S_EXPECTED),
    jitterMs: number(abi.S_JITTER_MS),
    rttMs: known(abi.S_RTT_MS),
    idleMs: known(abi.S_IDLE_MS),
    farLossPct: known(abi.S_FAR_LOSS_PCT),
    farJitterMs: known(abi.S_FAR_JITTER_MS),
  };
}

/** Reads the counters of the core and of the thread. */
export function readTotals(payload: Uint8Array, legs: number, legsMax: number): EdgeTotals {
  const counters = new Float64Array(payload.slice().buffer);
  const at = (counter: number) => counters[counter] ?? 0;
  return {
    legs,
    legsMax,
    packetsIn: at(abi.K_PACKETS_IN),
    packetsOut: at(abi.K_PACKETS_OUT),
    dropped: Object.fromEntries(DROPS.map(([name, counter]) => [name, at(counter)])),
  };
}
