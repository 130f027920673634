/** An active core and its standby, with the link between them in the hands of the test. */
import * as abi from '../../assembly/abi.ts';
import type { CoreInit } from '../../host/core.ts';
import { Driver, type Effect } from './driver.ts';

export class MirrorPair {
  readonly active: Driver;
  readonly standby: Driver;
  /** Frames that have left the active and not reached the standby; only while `isCut`. */
  readonly waiting: Effect[] = [];
  isCut = false;

  private constructor(active: Driver, standby: Driver) {
    this.active = active;
    this.standby = standby;
  }

  static async start(init: Partial<CoreInit> = {}): Promise<MirrorPair> {
    const active = await Driver.start(init);
    const standby = await Driver.start({ ...init, role: abi.ROLE_STANDBY });
    return new MirrorPair(active, standby);
  }

  /** The standby connects, and gets everything. */
  connect(): void {
    this.standby.event(abi.EV_MIRROR_PEER, { args: [1] });
    this.pump(this.active.event(abi.EV_MIRROR_PEER, { args: [1] }));
    this.settle();
  }

  /** Carries what goes to the standby there and its acknowledgements back; gives the other effects. */
  pump(effects: readonly Effect[]): Effect[] {
    const others: Effect[] = [];
    for (const effect of effects) {
      if (effect.kind !== abi.EF_MIRROR) others.push(effect);
      else if (this.isCut) this.waiting.push(effect);
      else others.push(...this.deliver(effect));
    }
    return others;
  }

  /** One frame to the standby, its acknowledgement back; gives what the active does then. */
  deliver(frame: Effect): Effect[] {
    const acks = applied(this.standby, frame).filter(({ kind }) => kind === abi.EF_MIRROR_ACK);
    return acks.flatMap(({ args }) => this.pump(this.active.event(abi.EV_MIRROR_ACK, { args })));
  }

  /** Until nothing more is to be sent. */
  settle(): Effect[] {
    const others: Effect[] = [];
    for (let i = 0; i < 200; i++) {
      others.push(...this.pump(this.active.wait(2)));
      this.standby.wait(2);
    }
    return others;
  }

  /** The active dies; the standby takes its place. */
  promote(): Driver {
    this.standby.nowUs = Math.max(this.standby.nowUs, this.active.nowUs);
    this.standby.event(abi.EV_ROLE, { args: [abi.ROLE_ACTIVE, 2] });
    return this.standby;
  }
}

/** What a core does with a frame of another's mirror. */
export function applied(core: Driver, frame: Pick<Effect, 'args' | 'bytes'>): Effect[] {
  return core.event(abi.EV_MIRROR, { args: frame.args, payload: frame.bytes });
}

/** Everything that a core would send to a standby that connects, as records by type and slot; flows and timers left out. */
export function recordsOf(core: Driver): Map<string, string> {
  const records = new Map<string, string>();
  let effects = core.event(abi.EV_MIRROR_PEER, { args: [1] });
  for (let i = 0; i < 1_000 && core.counter(abi.C_MIRROR_SYNCED) === 0; i++) {
    for (const frame of effects.filter(({ kind }) => kind === abi.EF_MIRROR)) {
      for (const [name, text] of readRecords(frame.bytes)) records.set(name, text);
      effects = core.event(abi.EV_MIRROR_ACK, { args: frame.args });
    }
    effects = core.wait(2);
  }
  core.event(abi.EV_MIRROR_PEER, { args: [0] });
  return records;
}

/** Records of a frame: name, and its body in hexadecimal (empty: it is gone). */
export function readRecords(payload: Uint8Array): [string, string][] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const records: [string, string][] = [];
  for (let at = 0; at < payload.length; at += view.getUint32(at + abi.MR_LENGTH, true)) {
    const [type, slot, generation] = [
      payload[at + abi.MR_TYPE]!,
      view.getUint32(at + abi.MR_SLOT, true),
      view.getUint32(at + abi.MR_GENERATION, true),
    ];
    const isGone = (view.getUint16(at + abi.MR_FLAGS, true) & abi.MRF_GONE) !== 0;
    const body = payload.subarray(at + abi.MR_BODY, at + view.getUint32(at + abi.MR_LENGTH, true));
    records.push([`${type}.${slot}.${generation}`, isGone ? '' : Buffer.from(body).toString('hex')]);
  }
  return records;
}
