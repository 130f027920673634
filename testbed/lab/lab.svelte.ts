/** The lab: plays a session in slices between frames, and shows it. */
import { GOOD_LINK, type Flight, ipOf, ipText } from '../../wasm-core/sim/network.ts';
import type { FaultSpec, Scenario } from '../../wasm-core/sim/scenario.ts';
import type { Failure } from '../../wasm-core/sim/simulation.ts';
import { drawScenario } from '../../wasm-core/sim/swarm.ts';
import { builtIn } from './scenarios.ts';
import { type SharedState, type Source, writeLink } from './link.ts';
import { Recorder } from './recorder.ts';
import { Sounds, toneOf } from './sounds.svelte.ts';
import { type Deed, Session, UNTIL_HEALED_MS } from './session.ts';
import { type View, viewOf } from './view-model.ts';

export type Selection =
  | { kind: 'phone' | 'node'; name: string }
  | { kind: 'link'; a: string; b: string }
  | { kind: 'call'; callId: string };

/** As fast as possible, nothing is drawn meanwhile. */
export const FASTEST = 0;
/** A message is to be seen for so long at least, real ms. */
const SEEN_MS = 350;
/** The same when time slows down for it. */
const WATCHED_MS = 700;
/** With more phones there is always a message on its way, and time would be slow all the time. */
const WATCHED_PHONES_MAX = 12;
/** Work between two frames, ms: at least, and at most, where drawing takes so long that a frame has time for more. */
const SLICE_MS = 12;
const SLICE_MAX_MS = 40;
/** Above this speed a message can't be followed: fewer are drawn, and the page is drawn anew less often. */
const FOLLOWED_SPEED_MAX = 20;
const FLYING_MAX = 300;
const FLYING_FAST_MAX = 40;
/** The page is drawn anew so often at most, ms; messages on their way move with each frame. */
const REFRESH_MS = 100;
/** The same while nothing is to be followed by eye. */
const REFRESH_FAST_MS = 500;
/** A seek that lasts longer shows how far it is; others show where they end only, ms. */
const SEEK_SHOWN_MS = 2_000;
/** A step back, µs. */
const BACK_US = 1_000_000;
const FIRST_MOVED_IP = ipOf('10.9.9.1');
const MOVED_PORT = 5070;

const SLOW_LINK = { ...GOOD_LINK, latencyUs: 600_000, jitterUs: 300_000, lossPerMille: 100 };

export class Lab {
  /** SHA-256 of the core, hexadecimal. */
  readonly sha256: string;
  readonly module: WebAssembly.Module;
  source = $state.raw<Source>({ kind: 'built-in', id: 'two-phones' });
  session = $state.raw<Session>(undefined as unknown as Session);
  view = $state.raw<View>(undefined as unknown as View);
  selection = $state.raw<Selection | null>(null);
  isPlaying = $state(false);
  /** Virtual seconds per second, 0.1 to 1,000, or FASTEST. */
  speed = $state(1);
  /** Slow down while messages are on their way. */
  isWatching = $state(true);
  /** Where it runs to without being drawn, µs; undefined: it doesn't. */
  seekUs = $state<number>();
  /** How much of a long seek is done, 0 to 1; undefined: there is none, or it is a short one. */
  seekDone = $state<number>();
  readonly sounds = new Sounds();
  failure = $state.raw<Failure>();
  /** Virtual seconds per second that are reached. */
  rate = $state(0);
  recorder!: Recorder;
  /** Messages to be drawn on their way. Not reactive: read with each frame. */
  flying: Flying[] = [];
  #wantedUs = 0;
  #lastFrame = 0;
  #lastRefresh = 0;
  /** Where and when, `performance.now()`, the seek began. */
  #seekBegan = { us: 0, ms: 0 };
  #measured = { at: 0, us: 0 };
  #moved = 0;

  constructor(module: WebAssembly.Module, sha256: string, state?: SharedState) {
    this.module = module;
    this.sha256 = sha256;
    this.open(state?.source ?? this.source, state);
    requestAnimationFrame((now) => this.#frame(now));
    // There are no frames in a page that nobody sees: time stands still in it, and nothing rings.
    document.addEventListener('visibilitychange', () => this.#sound());
  }

  // --- what is shown -------------------------------------------------------------------------------

  /** @throws RangeError for a scenario that makes no sense */
  open(source: Source, state?: Omit<SharedState, 'source'>): void {
    const scenario = scenarioOf(source);
    const session = new Session(scenario, this.module, () => this.#observe(), state?.acts);
    this.source = source;
    this.#adopt(session);
    this.speed = state?.speed ?? 1;
    this.isWatching = scenario.phones.length <= WATCHED_PHONES_MAX;
    this.selection = null;
    this.isPlaying = false;
    if (state !== undefined && state.atUs > 0) this.#beginSeek(state.atUs);
  }

  #adopt(session: Session): void {
    this.session = session;
    this.#began();
  }

  #began(): void {
    this.failure = undefined;
    this.#measured = { at: performance.now(), us: 0 };
    this.stopSeeking();
  }

  #observe() {
    this.flying = [];
    this.recorder = new Recorder(() => this.session?.nowUs ?? 0);
    return [
      this.recorder,
      {
        flight: (flight: Flight) => {
          const most = this.isFast ? FLYING_FAST_MAX : FLYING_MAX;
          if (this.seekUs === undefined && this.speed !== FASTEST && this.flying.length < most)
            this.flying.push({ flight, bornMs: performance.now() });
        },
        failed: (failure: Failure) => {
          this.failure = failure;
          this.isPlaying = false;
        },
      },
    ];
  }

  refresh(): void {
    this.#lastRefresh = performance.now();
    this.view = viewOf(this.session.simulation, this.recorder);
    this.#sound();
  }

  #sound(): void {
    const isHeard = this.isPlaying && this.seekUs === undefined && !document.hidden;
    this.sounds.play(isHeard ? toneOf(this.view.phones) : null);
  }

  /** Messages come too fast to be followed. */
  get isFast(): boolean {
    return this.speed === FASTEST || this.speed > FOLLOWED_SPEED_MAX;
  }

  get scenario(): Scenario {
    return this.session.scenario;
  }

  // --- time ------------------------------------------------------------------------------------------

  toggle(): void {
    this.isPlaying = !this.isPlaying && !this.session.simulation.isOver;
    this.#wantedUs = this.session.nowUs;
    this.#measured = { at: performance.now(), us: this.session.nowUs };
    this.refresh();
  }

  /** The next event. */
  step(): void {
    this.isPlaying = false;
    this.session.step();
    this.#wantedUs = this.session.nowUs;
    this.refresh();
  }

  /** Until the next message is sent. */
  stepMessage(): void {
    this.isPlaying = false;
    const { messages } = this.session.simulation;
    while (this.session.simulation.messages === messages && this.session.step());
    this.#wantedUs = this.session.nowUs;
    this.refresh();
  }

  restart(): void {
    this.session.restart();
    this.#began();
  }

  /** To a moment, by running from the beginning when it has passed. */
  seek(us: number): void {
    if (us < this.session.nowUs) {
      this.session.restart();
      this.failure = undefined;
    }
    this.#beginSeek(us);
  }

  /** A second back. */
  back(): void {
    this.isPlaying = false;
    this.seek(Math.max(0, (this.seekUs ?? this.session.nowUs) - BACK_US));
  }

  /** Stays at the moment that a seek has come to. */
  stopSeeking(): void {
    this.seekUs = undefined;
    this.seekDone = undefined;
    this.#wantedUs = this.session.nowUs;
    this.refresh();
  }

  #beginSeek(us: number): void {
    this.flying = [];
    this.seekUs = us;
    this.seekDone = undefined;
    this.#seekBegan = { us: this.session.nowUs, ms: performance.now() };
    this.sounds.play(null);
  }

  #frame(now: number): void {
    requestAnimationFrame((next) => this.#frame(next));
    const passedMs = Math.min(100, now - this.#lastFrame);
    this.#lastFrame = now;
    this.flying = this.flying.filter((flying) => partOf(flying, this.session.nowUs, performance.now()) < 1);
    const moves = this.seekUs !== undefined || this.isPlaying;
    if (!moves) return;
    const endMs = performance.now() + Math.min(SLICE_MAX_MS, Math.max(SLICE_MS, passedMs / 2));
    const isTimeUp = () => performance.now() >= endMs;
    if (this.seekUs !== undefined) this.#goOnSeeking(this.seekUs, isTimeUp);
    else this.#goOnPlaying(passedMs, isTimeUp);
    if (this.session.simulation.isOver) this.isPlaying = false;
    this.#measure(now);
    this.#refreshInTime(now);
  }

  #refreshInTime(now: number): void {
    if (this.seekUs !== undefined) {
      const { us, ms } = this.#seekBegan;
      if (now - ms < SEEK_SHOWN_MS) return;
      this.seekDone = (this.session.nowUs - us) / Math.max(1, this.seekUs - us);
    }
    const everyMs = this.seekUs !== undefined || this.isFast ? REFRESH_FAST_MS : REFRESH_MS;
    const isDone = this.seekUs === undefined && !this.isPlaying;
    if (isDone || now - this.#lastRefresh >= everyMs) this.refresh();
  }

  #goOnSeeking(us: number, isTimeUp: () => boolean): void {
    const there = this.session.runUntil(us, isTimeUp) || this.session.simulation.isOver;
    if (there) this.stopSeeking();
  }

  #goOnPlaying(passedMs: number, isTimeUp: () => boolean): void {
    if (this.speed === FASTEST) {
      this.session.runUntil(this.session.simulation.endUs, isTimeUp);
      return;
    }
    const slowed = this.isWatching && this.speed <= 2;
    const rate = slowed ? this.#watchingRate() : this.speed;
    this.#wantedUs += passedMs * 1_000 * rate;
    // A message that is sent meanwhile is to be seen from the beginning.
    const stop = slowed && rate === this.speed ? () => this.#inAir().length > 0 : isTimeUp;
    const there = this.#runTo(Math.floor(this.#wantedUs), isTimeUp, stop);
    if (!there) this.#wantedUs = this.session.nowUs;
  }

  #inAir(): Flying[] {
    return this.flying.filter(({ flight }) => fadesUs(flight) > this.session.nowUs);
  }

  /** Virtual seconds per second with which the fastest message on its way can be followed by eye. */
  #watchingRate(): number {
    const ways = this.#inAir().map(({ flight }) => fadesUs(flight) - flight.sentUs);
    return Math.min(this.speed, ...ways.map((us) => us / 1_000 / WATCHED_MS));
  }

  #runTo(us: number, isTimeUp: () => boolean, stop: () => boolean): boolean {
    if (stop === isTimeUp) return this.session.runUntil(us, isTimeUp);
    while (!this.session.simulation.isOver && (this.session.simulation.scheduler.nextUs() ?? us + 1) <= us) {
      if (!this.session.step()) return true;
      if (stop() || isTimeUp()) return false;
    }
    return this.session.runUntil(us, isTimeUp);
  }

  #measure(now: number): void {
    if (now - this.#measured.at < 500) return;
    const us = this.session.nowUs;
    this.rate = Math.max(0, us - this.#measured.us) / 1_000 / (now - this.#measured.at);
    this.#measured = { at: now, us };
  }

  // --- what the user does ---------------------------------------------------------------------------

  do(deed: Deed): void {
    this.session.act(deed);
    this.#wantedUs = this.session.nowUs;
    this.refresh();
  }

  call(from: string, to: string): void {
    this.do({ kind: 'call', call: { from, to, holdMs: 60_000 } });
  }

  cut(a: string, b: string, twoWay: boolean): void {
    this.do({ kind: 'fault', fault: { kind: 'cut', from: a, to: b, ms: UNTIL_HEALED_MS, twoWay } });
  }

  slow(a: string, b: string): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      this.do({ kind: 'fault', fault: { kind: 'slow', from, to, ms: UNTIL_HEALED_MS, spec: SLOW_LINK } });
  }

  move(phone: string): void {
    let ip = '';
    do ip = ipText(FIRST_MOVED_IP + this.#moved++);
    while (
      this.session.acts.some(
        (act) => act.kind === 'fault' && act.fault.kind === 'move' && act.fault.ip === ip,
      )
    );
    this.do({ kind: 'fault', fault: { kind: 'move', phone, ip, port: MOVED_PORT } });
  }

  /** Switches whose core has the call, each with the call's place among theirs. */
  holdersOf(callId: string): { node: string; nth: number }[] {
    const { simulation } = this.session;
    return simulation.nodes.flatMap((node) => {
      const nth = simulation.callsOf(node).findIndex((call) => call.callId === callId);
      return nth < 0 || node.state !== 'up' ? [] : [{ node: node.name, nth }];
    });
  }

  /** Ends those of the faults that last. */
  heal(isMeant: (fault: FaultSpec) => boolean): void {
    for (;;) {
      const nth = this.session.simulation.faults.open.findIndex(isMeant);
      if (nth < 0) return;
      this.do({ kind: 'heal', nth });
      if (this.session.simulation.isOver) return;
    }
  }

  // --- sharing ---------------------------------------------------------------------------------------

  /** Address of this page with exactly this. */
  async link(): Promise<string> {
    const { acts, nowUs } = this.session;
    const done = acts.filter(({ atUs }) => atUs <= nowUs);
    const fragment = await writeLink({ source: this.source, acts: done, atUs: nowUs, speed: this.speed });
    return location.href.split('#')[0] + fragment;
  }
}

/** Messages that don't arrive are seen for so long, µs. */
const LOST_US = 60_000;

/** A message on its way, and when the page learned of it, ms of `performance.now()`. */
export interface Flying {
  flight: Flight;
  bornMs: number;
}

function fadesUs(flight: Flight): number {
  return flight.fate === 'arrives' ? flight.arrivesUs : flight.sentUs + LOST_US;
}

/** How much of its way a message is drawn to have done, 0 to 1: as virtual time has it, but slow enough to be seen. */
export function partOf({ flight, bornMs }: Flying, nowUs: number, nowMs: number): number {
  const whole = fadesUs(flight) - flight.sentUs;
  const virtual = whole <= 0 ? 1 : (nowUs - flight.sentUs) / whole;
  return Math.max(0, Math.min(1, virtual, (nowMs - bornMs) / SEEN_MS));
}

/** @throws RangeError when there is none of that name */
export function scenarioOf(source: Source): Scenario {
  if (source.kind === 'scenario') return source.scenario;
  if (source.kind === 'seed') return drawScenario(source.seed, { minutes: source.minutes });
  const found = builtIn(source.id);
  if (found === undefined) throw new RangeError(`There is no scenario '${source.id}'.`);
  return found.make();
}
