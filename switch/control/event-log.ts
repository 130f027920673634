/** Logs what the core reports (EF_LOG), at a bounded rate: an attacker must not fill the disk. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { formatAddress, formatHostPort } from '../../wasm-core/host/address.ts';
import type { Frame } from '../../wasm-core/host/frames.ts';
import { LOG_NAMES, nameOf, TRANSPORT_NAMES } from '../../wasm-core/host/names.ts';
import type { CoreLink } from './core-link.ts';
import type { Logger } from './log.ts';

/** Severity by LOG_*; others are `info`. */
const LEVELS: Record<number, 'debug' | 'info' | 'warn'> = {
  [abi.LOG_MALFORMED]: 'warn',
  [abi.LOG_REJECTED]: 'info',
  [abi.LOG_AUTH_FAILED]: 'warn',
  [abi.LOG_TABLE_FULL]: 'warn',
  [abi.LOG_MEDIA_FAILED]: 'warn',
  [abi.LOG_OFFER_FAILED]: 'warn',
  [abi.LOG_REGISTERED]: 'debug',
  [abi.LOG_UNREGISTERED]: 'debug',
};
/** What the text of an event is: the user of a registration or of wrong credentials, else a Call-ID. */
function textKey(code: number, status: number): 'user' | 'callId' {
  if (code === abi.LOG_REGISTERED || code === abi.LOG_UNREGISTERED) return 'user';
  return code === abi.LOG_AUTH_FAILED && (status === 401 || status === 407) ? 'user' : 'callId';
}

const TEXT_MAX = 200;

/** Writes them while it exists. */
export class EventLog {
  readonly #log: Logger;
  readonly #perSecond: number;
  #second = 0;
  #written = 0;
  #suppressed = 0;

  constructor(perSecond: number, link: CoreLink, log: Logger) {
    this.#perSecond = perSecond;
    this.#log = log;
    link.on(abi.EF_LOG, (frame) => this.#report(frame));
  }

  #report(frame: Frame): void {
    const code = frame.arg(0);
    const level = LEVELS[code] ?? 'info';
    if (!this.#log.isLevelEnabled(level) || !this.#mayWrite()) return;
    const text = frame.text.slice(0, TEXT_MAX);
    const details: Record<string, unknown> = {
      peer: formatHostPort(formatAddress(frame.address), frame.port),
      transport: nameOf(TRANSPORT_NAMES, frame.transport),
    };
    if (frame.arg(1) > 0) details['status'] = frame.arg(1);
    if (text !== '') details[textKey(code, frame.arg(1))] = text;
    this.#log[level](details, nameOf(LOG_NAMES, code));
  }

  /** Counts entries per second; says how many were left out when the next second begins. */
  #mayWrite(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      if (this.#suppressed > 0) this.#log.warn({ suppressed: this.#suppressed }, 'log entries left out');
      this.#second = second;
      this.#written = 0;
      this.#suppressed = 0;
    }
    if (this.#written < this.#perSecond) {
      this.#written++;
      return true;
    }
    this.#suppressed++;
    return false;
  }
}
