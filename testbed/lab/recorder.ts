/** What the lab remembers of a run, bounded: calls with their messages, the last messages and faults, registrations. */
import type { Flight } from '../../wasm-core/sim/network.ts';
import type { FaultSpec } from '../../wasm-core/sim/scenario.ts';
import type { Failure, Observer } from '../../wasm-core/sim/simulation.ts';
import type { CallState, PhoneNote } from '../../wasm-core/sim/world.ts';

/** A call, as its phones see it. */
export interface LabCall {
  /** From 1, in the order of their beginning. */
  nth: number;
  callId: string;
  /** Name of the phone. */
  caller: string;
  /** Dialled number. */
  number: string;
  /** Phones that were rung. */
  callees: Map<string, CallState>;
  /** The caller's. */
  state: CallState;
  /** Final status as the caller has it, 0 before. */
  status: number;
  beganUs: number;
  endedUs: number | undefined;
  /** In the order of sending. */
  flights: Flight[];
}

/** A line of the trace. */
export type Entry =
  | { kind: 'message'; id: number; atUs: number; flight: Flight }
  | { kind: 'fault'; id: number; atUs: number; fault: FaultSpec; begins: boolean }
  | { kind: 'failure'; id: number; atUs: number; failure: Failure };

/** What is kept; older things are forgotten. */
const CALLS_MAX = 400;
const FLIGHTS_MAX = 400;
const ENTRIES_MAX = 600;

export class Recorder implements Observer {
  readonly #now: () => number;
  readonly #calls = new Map<string, LabCall>();
  /** By phone, when the registration ends, µs. */
  readonly registered = new Map<string, number>();
  /** Faults that began, and failures, for the time line. */
  readonly marks: { atUs: number; kind: 'fault' | 'failure'; text: string }[] = [];
  #entries: Entry[] = [];
  #entryIds = 0;
  #callCount = 0;

  /** @param now  virtual time, µs */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** In the order of their beginning. */
  get calls(): readonly LabCall[] {
    return [...this.#calls.values()];
  }

  call(callId: string): LabCall | undefined {
    return this.#calls.get(callId);
  }

  /** The last ones, oldest first. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  flight(flight: Flight): void {
    this.#enter({ kind: 'message', id: ++this.#entryIds, atUs: flight.sentUs, flight });
    const call = this.#calls.get(flight.packet.sip?.callId ?? '');
    if (call !== undefined && call.flights.length < FLIGHTS_MAX) call.flights.push(flight);
  }

  note(note: PhoneNote): void {
    if (note.kind === 'registered') {
      if (note.expiresS > 0) this.registered.set(note.phone, this.#now() + note.expiresS * 1_000_000);
      else this.registered.delete(note.phone);
    }
    if (note.kind !== 'call') return;
    if (note.role === 'caller') this.#callerNote(note);
    else this.#calls.get(note.callId)?.callees.set(note.phone, note.state);
  }

  fault(fault: FaultSpec, begins: boolean): void {
    this.#enter({ kind: 'fault', id: ++this.#entryIds, atUs: this.#now(), fault, begins });
    if (begins) this.marks.push({ atUs: this.#now(), kind: 'fault', text: fault.kind });
    if (begins && fault.kind === 'vanish') this.registered.delete(fault.phone);
  }

  failed(failure: Failure): void {
    this.#enter({ kind: 'failure', id: ++this.#entryIds, atUs: failure.atUs, failure });
    this.marks.push({ atUs: failure.atUs, kind: 'failure', text: failure.checker });
  }

  #callerNote(note: PhoneNote & { kind: 'call' }): void {
    let call = this.#calls.get(note.callId);
    if (call === undefined) {
      call = {
        nth: ++this.#callCount,
        callId: note.callId,
        caller: note.phone,
        number: note.peer,
        callees: new Map(),
        state: note.state,
        status: 0,
        beganUs: this.#now(),
        endedUs: undefined,
        flights: [],
      };
      this.#calls.set(note.callId, call);
      if (this.#calls.size > CALLS_MAX) this.#forgetOne();
    }
    call.state = note.state;
    call.status = note.status;
    if (note.state === 'ended') call.endedUs = this.#now();
  }

  /** The oldest call that has ended; the oldest of all when none has. */
  #forgetOne(): void {
    for (const [callId, call] of this.#calls) {
      if (call.endedUs === undefined) continue;
      this.#calls.delete(callId);
      return;
    }
    this.#calls.delete(this.#calls.keys().next().value!);
  }

  #enter(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length > 2 * ENTRIES_MAX) this.#entries = this.#entries.slice(-ENTRIES_MAX);
  }
}
