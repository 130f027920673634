/** What the control thread does with EF_CALL: CDRs, log lines, and the set-up time of each call. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { Frame } from '../../wasm-core/host/frames.ts';
import { CALL_STATE_NAMES, ENDED_BY_NAMES, nameOf, TRANSPORT_NAMES } from '../../wasm-core/host/names.ts';
import { decodeCall } from '../../wasm-core/host/records.ts';
import { CdrList } from './cdr.ts';
import type { Config } from './config/schema.ts';
import type { CoreLink } from './core-link.ts';
import { LatencyHistogram } from './histogram.ts';
import type { Logger } from './log.ts';

/** EF_CALL frames to ask the core for (I_CALL_EVENTS): only those that somebody reads. */
export function callEventsMask(config: Config): number {
  const ended = 1 << abi.CALL_STATE_ENDED;
  const verbose =
    config.logs.level === 'info' || config.logs.level === 'debug' || config.logs.level === 'trace';
  return verbose ? ended | (1 << abi.CALL_STATE_ANSWERED) : ended;
}

/** Follows the calls of one node. */
export class CallLog {
  readonly cdrs: CdrList;
  /** INVITE in to INVITE out. */
  readonly setup: LatencyHistogram;
  /** The same for calls whose media goes through the switch. */
  readonly setupMedia: LatencyHistogram;
  readonly #log: Logger;

  constructor(config: Config, link: CoreLink, log: Logger) {
    this.cdrs = new CdrList(config.limits.cdrs);
    this.setup = new LatencyHistogram(config.budgets.setupUs);
    this.setupMedia = new LatencyHistogram(config.budgets.setupMediaUs);
    this.#log = log;
    link.on(abi.EF_CALL, (frame) => this.#changed(frame));
  }

  #changed(frame: Frame): void {
    const state = frame.arg(0);
    if (state === abi.CALL_STATE_ENDED) this.#ended(frame.payload);
    if (!this.#log.isLevelEnabled('info')) return;
    const call = decodeCall(frame.payload);
    const details: Record<string, unknown> = {
      callId: call.callId,
      call: `${call.slot}.${call.generation}`,
      from: call.from,
      to: call.to,
    };
    if (call.trunk !== '') details['trunk'] = call.trunk;
    if (state === abi.CALL_STATE_ENDED) {
      details['cause'] = call.cause;
      details['endedBy'] = nameOf(ENDED_BY_NAMES, call.endedBy);
      if (call.answeredUs > 0) details['durationMs'] = Math.round((call.endedUs - call.answeredUs) / 1000);
    } else {
      details['caller'] = nameOf(TRANSPORT_NAMES, call.callerTransport);
      details['callee'] = nameOf(TRANSPORT_NAMES, call.calleeTransport);
    }
    this.#log.info(details, `call ${nameOf(CALL_STATE_NAMES, state)}`);
  }

  #ended(record: Uint8Array): void {
    this.cdrs.add(record);
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    const us = view.getFloat32(abi.CR_SETUP_US, true);
    if (us <= 0) return;
    const anchored = (view.getUint16(abi.CR_FLAGS, true) & abi.CRF_ANCHORED) !== 0;
    (anchored ? this.setupMedia : this.setup).observe(us);
  }
}
