/** The calls of a production recording, for ladders: messages that went into the core, and those that came out. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { formatAddress, formatHostPort } from '../../wasm-core/host/address.ts';
import { Frame } from '../../wasm-core/host/frames.ts';
import { Packet } from '../../wasm-core/sim/packet.ts';
import { framesOf } from '../../wasm-core/sim/recording/difference.ts';
import type { ReplayedStep } from '../../wasm-core/sim/recording/recorded-core.ts';
import { uriOf, userOf } from '../../wasm-core/sim/sip/message.ts';
import type { LabCall } from './recorder.ts';

/** Calls that are kept, and messages of each; what comes later is counted only. */
const CALLS_MAX = 2_000;
const FLIGHTS_MAX = 200;

export class RecordedCalls {
  /** Name of the node, as the recording has it. */
  readonly node: string;
  readonly #calls = new Map<string, LabCall>();
  #beganUs = 0;
  #flights = 0;
  messages = 0;

  constructor(node: string) {
    this.node = node;
  }

  get calls(): readonly LabCall[] {
    return [...this.#calls.values()];
  }

  /** Takes what a step refers to; copies are kept. */
  take(step: ReplayedStep): void {
    if (this.#beganUs === 0) this.#beganUs = step.nowUs;
    for (const event of step.events.slice(0, step.taken)) {
      const frame = new Frame(event);
      if (frame.kind === abi.EV_MESSAGE) this.#message(frame, step.nowUs, true);
    }
    for (const effect of framesOf(step.effects)) {
      const frame = new Frame(effect);
      if (frame.kind === abi.EF_SEND) this.#message(frame, step.nowUs, false);
    }
  }

  #message(frame: Frame, nowUs: number, isIn: boolean): void {
    this.messages++;
    const packet = new Packet(frame.payload.slice());
    const { sip } = packet;
    if (sip === null) return;
    const peer =
      frame.flow !== 0 && frame.transport !== abi.TRANSPORT_UDP
        ? `connection ${frame.flow}`
        : formatHostPort(formatAddress(frame.address), frame.port);
    const call = this.#callOf(
      sip.callId,
      sip.method,
      isIn ? peer : '',
      userOf(uriOf(sip.header('to'))),
      nowUs,
    );
    if (call === undefined || call.flights.length >= FLIGHTS_MAX) return;
    if (sip.status >= 200 && sip.method === 'INVITE' && !isIn) call.status = sip.status;
    call.state =
      sip.method === 'BYE' || sip.status >= 300 ? 'ended' : call.status === 200 ? 'up' : call.state;
    const atUs = nowUs - this.#beganUs;
    call.flights.push({
      id: ++this.#flights,
      sentUs: atUs,
      arrivesUs: atUs,
      from: isIn ? peer : this.node,
      to: isIn ? this.node : peer,
      fromIp: 0,
      fromPort: 0,
      toIp: 0,
      toPort: 0,
      transport: frame.transport,
      fate: 'arrives',
      copy: false,
      packet,
    });
  }

  #callOf(
    callId: string,
    method: string,
    caller: string,
    number: string,
    nowUs: number,
  ): LabCall | undefined {
    const known = this.#calls.get(callId);
    if (known !== undefined || method !== 'INVITE' || caller === '' || this.#calls.size >= CALLS_MAX)
      return known;
    const call: LabCall = {
      nth: this.#calls.size + 1,
      callId,
      caller,
      number,
      callees: new Map(),
      state: 'trying',
      status: 0,
      beganUs: nowUs - this.#beganUs,
      endedUs: undefined,
      flights: [],
    };
    this.#calls.set(callId, call);
    return call;
  }
}
