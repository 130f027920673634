/** Numbers and times as the lab writes them. */
import { TRANSPORT_TCP, TRANSPORT_WS } from '../../wasm-core/assembly/abi.ts';
import type { LinkState } from './view-model.ts';
import type { FaultSpec } from '../../wasm-core/sim/scenario.ts';

/** Virtual time: `1:02.345`, with hours when there are any. */
export function clock(us: number, digits = 3): string {
  const ms = Math.floor(us / 1_000);
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = ((ms % 60_000) / 1_000).toFixed(3).padStart(6, '0');
  const shown = digits === 0 ? seconds.slice(0, 2) : seconds.slice(0, 3 + digits);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${shown}` : `${minutes}:${shown}`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

/** `1 call`, `2 calls`: for words whose plural has an s, or is given. */
export function countOf(value: number, one: string, more = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : more}`;
}

export function transportName(transport: number): string {
  return transport === TRANSPORT_TCP ? 'TCP' : transport === TRANSPORT_WS ? 'WebSocket' : 'UDP';
}

/** ms, from µs. */
export function milliseconds(us: number): string {
  const ms = us / 1_000;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

export const LINK_STATES: Record<LinkState, string> = {
  good: 'good',
  slow: 'slow',
  'one-way': 'cut one way',
  cut: 'cut',
};

/** What a fault is, in a few words. */
export function faultText(fault: FaultSpec): string {
  switch (fault.kind) {
    case 'crash':
      return `${fault.node} dies${fault.keepsMemory ? '; its memory stays' : ' and loses its memory'}`;
    case 'pause':
      return `${fault.node} stands still`;
    case 'clock-jump':
      return `Clock of ${fault.node} jumps by ${fault.byMs} ms`;
    case 'clock-rate':
      return `Clock of ${fault.node} goes at ${fault.rate} times its rate`;
    case 'reload':
      return `${fault.node} takes its configuration anew`;
    case 'drain':
      return `${fault.node} drains: no new calls`;
    case 'media-crash':
      return `Media service of ${fault.node} dies`;
    case 'cut':
      return `${fault.from} ${fault.twoWay ? '↔' : '→'} ${fault.to} is cut`;
    case 'slow':
      return `${fault.from} → ${fault.to} is slow`;
    case 'vanish':
      return `${fault.phone} is off, without a word`;
    case 'move':
      return `${fault.phone} moves to ${fault.ip}`;
    case 'hangup':
      return `${fault.node} ends a call`;
  }
}
