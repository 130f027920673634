/** Frames as text, for people. */
import * as abi from '../../assembly/abi.ts';
import { formatAddress, formatHostPort } from '../../host/address.ts';
import { Frame } from '../../host/frames.ts';
import { nameOf, TRANSPORT_NAMES } from '../../host/names.ts';

const EVENT_NAMES = [
  'event',
  'message received',
  'connection closed',
  'media answers',
  'media lost',
  'configuration',
  'question',
  'hang-up',
  'drain',
];
const EFFECT_NAMES = [
  'effect',
  'message sent',
  'media request',
  'call record',
  'answer to a question',
  'log entry',
  'close connection',
  'answer to a hang-up',
  'configuration taken',
];

export function printEvent(bytes: Uint8Array): string {
  return print(bytes, EVENT_NAMES, abi.EV_MESSAGE, 'from');
}

export function printEffect(bytes: Uint8Array): string {
  return print(bytes, EFFECT_NAMES, abi.EF_SEND, 'to');
}

function print(bytes: Uint8Array, names: readonly string[], message: number, way: string): string {
  const frame = new Frame(bytes);
  const name = nameOf(names, frame.kind);
  if (frame.kind !== message) {
    const args = [0, 1, 2, 3, 4, 5].map((i) => frame.arg(i)).join(' ');
    return `${name}, arguments ${args}, ${frame.length} bytes`;
  }
  const transport = nameOf(TRANSPORT_NAMES, frame.transport);
  const peer =
    frame.flow === 0 || frame.transport === abi.TRANSPORT_UDP
      ? formatHostPort(formatAddress(frame.address), frame.port)
      : `connection ${frame.flow}`;
  const text = frame.text.replace(/\r\n/g, '\n').trimEnd();
  return `${name} ${way} ${transport} ${peer}, ${frame.length} bytes\n${text.replace(/^/gm, '    ')}`;
}
