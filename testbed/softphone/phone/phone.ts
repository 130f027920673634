/**
 * The phone: a line and up to two calls, of which one talks. No DOM: what it needs of the browser comes in
 * {@link PhoneOptions}, what happens goes out as immutable snapshots.
 */
import { type Invitation, Inviter, UserAgent } from 'sip.js';
import { type Account, aorOf } from './account.ts';
import { Call, type CallSnapshot } from './call.ts';
import { isDtmf, parseTarget } from './dial.ts';
import { type Failure, failure, FailureError } from './failure.ts';
import { accountFailure, Line, type LineOptions, type LineState } from './line.ts';
import type { Quality } from './quality.ts';

export interface PhoneSnapshot {
  readonly line: LineState;
  /** `user@domain`; null when signed out. */
  readonly aor: string | null;
  /** Not ended, oldest first. */
  readonly calls: readonly CallSnapshot[];
  /** The last call that ended, until {@link Phone.dismiss} or the next one. */
  readonly ended: CallSnapshot | null;
  /** What the person should know, until {@link Phone.dismiss} or the next attempt. */
  readonly notice: Failure | null;
}

export interface PhoneOptions extends LineOptions {
  /** Makes sure there is a microphone before anything is sent. @throws FailureError */
  prepareMicrophone: () => Promise<void>;
  /** The name that goes with a number, as far as it is known; empty otherwise. */
  nameOf?: (number: string) => string;
}

export interface PhoneEvents {
  changed(snapshot: PhoneSnapshot): void;
  /** Called once for each call. */
  ended(call: CallSnapshot): void;
}

/** One that talks, and one on hold or ringing. */
export const CALLS_MAX = 2;

/** Signing out waits no longer than this for calls to end, ms. */
const HANGUP_MS = 1_000;

const SIGNED_OUT: LineState = { name: 'signed-out', failure: null };

export class Phone {
  readonly #options: PhoneOptions;
  readonly #events: PhoneEvents;
  readonly #calls = new Map<string, Call>();
  /** Ended here while the connection was down: the other side must still be told. */
  #owed: Call[] = [];
  #line: Line | null = null;
  #lineState: LineState = SIGNED_OUT;
  #ended: CallSnapshot | null = null;
  #notice: Failure | null = null;

  constructor(options: PhoneOptions, events: PhoneEvents) {
    this.#options = options;
    this.#events = events;
  }

  get snapshot(): PhoneSnapshot {
    return {
      line: this.#lineState,
      aor: this.#line === null ? null : aorOf(this.#line.account),
      calls: Array.from(this.#calls.values(), (call) => call.snapshot),
      ended: this.#ended,
      notice: this.#notice,
    };
  }

  /** The call with this id, or without one the call that is most in need of attention. */
  find(id?: string): Call | undefined {
    if (id !== undefined) return this.#calls.get(id);
    const calls = [...this.#calls.values()];
    return calls.find((call) => call.phase === 'active' && !call.held) ?? calls.at(-1);
  }

  /**
   * Connects and registers. What becomes of it is in the snapshots' `line`.
   *
   * @param keepTrying go on when the server can't be reached, as for an account that worked before
   */
  async signIn(account: Account, keepTrying = false): Promise<void> {
    await this.signOut();
    const wrong = accountFailure(account);
    if (wrong !== null) {
      this.#lineState = { name: 'signed-out', failure: wrong };
      return this.#changed();
    }
    const line = new Line(
      account,
      this.#options,
      {
        changed: (state) => this.#lineChanged(line, state),
        invited: (invitation) => this.#invited(invitation),
      },
      keepTrying,
    );
    this.#line = line;
    await line.open();
  }

  /** Ends all calls and the registration. */
  async signOut(): Promise<void> {
    const line = this.#line;
    if (line === null) return;
    const hangups = Array.from(this.#calls.values(), (call) => call.hangup(this.#connected));
    // A BYE may have to wait for an ACK that never comes (RFC 3261 15).
    const limit = new Promise((resolve) => setTimeout(resolve, HANGUP_MS));
    if (hangups.length > 0) await Promise.race([Promise.allSettled(hangups), limit]);
    await line.close();
    this.#line = null;
    this.#notice = null;
    this.#ended = null;
    this.#changed();
  }

  /** Before the page goes: what can be sent without waiting for anything. */
  leave(): void {
    for (const call of this.#calls.values()) void call.hangup(this.#connected);
  }

  reconnectNow(): void {
    this.#line?.retryNow();
  }

  networkLost(): void {
    this.#line?.networkLost();
  }

  /** Opens the microphone without a call. @returns false when that failed, and `notice` says why */
  async allowMicrophone(): Promise<boolean> {
    const allowed = await this.#attempt(async () => {
      await this.#options.prepareMicrophone();
      return true;
    });
    return allowed ?? false;
  }

  /** @returns the new call's id; null when it couldn't begin, and `notice` says why */
  async call(input: string): Promise<string | null> {
    return this.#attempt(async () => {
      const line = this.#registeredLine();
      const target = parseTarget(input, line.account.domain);
      const uri = target && UserAgent.makeURI(target.uri);
      if (!target || !uri) throw new FailureError(failure('bad-number'));
      if (this.#calls.size >= CALLS_MAX) throw new FailureError(failure('too-many-calls'));
      await this.#options.prepareMicrophone();
      this.#holdOthers(null);
      const call = this.#add(new Inviter(line.agent, uri), {
        number: target.number,
        name: this.#options.nameOf?.(target.number) ?? '',
      });
      await call.dial();
      return call.id;
    });
  }

  /** Answers; a call that talks is put on hold first. */
  async answer(id?: string): Promise<void> {
    const call = id === undefined ? this.#incoming() : this.#calls.get(id);
    if (call?.phase !== 'incoming') return;
    await this.#attempt(async () => {
      await this.#options.prepareMicrophone();
      this.#holdOthers(call);
      await call.answer();
    });
  }

  async reject(id?: string): Promise<void> {
    const call = id === undefined ? this.#incoming() : this.#calls.get(id);
    await this.#attempt(async () => call?.reject());
  }

  async hangup(id?: string): Promise<void> {
    const call = this.find(id);
    if (call === undefined) return;
    await this.#attempt(async () => {
      if (!(await call.hangup(this.#connected))) this.#owed.push(call);
    });
  }

  /** Holds, or resumes and holds the other. */
  async hold(on: boolean, id?: string): Promise<void> {
    const call = id === undefined ? this.#holdable(on) : this.#calls.get(id);
    if (call === undefined) return;
    await this.#attempt(async () => {
      this.#registeredLine();
      if (!on) this.#holdOthers(call);
      await call.setHold(on);
    });
  }

  mute(on: boolean, id?: string): void {
    this.find(id)?.setMuted(on);
  }

  async dtmf(tones: string, id?: string): Promise<void> {
    if (!isDtmf(tones)) return;
    await this.#attempt(async () => this.find(id)?.sendDtmf(tones.toUpperCase()));
  }

  async stats(id?: string): Promise<Quality | null> {
    return (await this.find(id)?.quality()) ?? null;
  }

  /** Gives every call another microphone. */
  async replaceMicrophone(track: () => Promise<MediaStreamTrack>): Promise<void> {
    for (const { media } of this.#calls.values()) await media?.replaceMicrophone(await track());
  }

  dismiss(): void {
    this.#notice = null;
    this.#ended = null;
    this.#changed();
  }

  get #connected(): boolean {
    return this.#line?.agent.isConnected() ?? false;
  }

  #registeredLine(): Line {
    if (this.#line === null || this.#lineState.name !== 'registered')
      throw new FailureError(failure('offline'));
    return this.#line;
  }

  #incoming(): Call | undefined {
    return [...this.#calls.values()].find((call) => call.phase === 'incoming');
  }

  #holdable(on: boolean): Call | undefined {
    return [...this.#calls.values()].find((call) => call.phase === 'active' && call.held !== on);
  }

  /** Only one call talks at a time. */
  #holdOthers(but: Call | null): void {
    for (const call of this.#calls.values()) if (call !== but) call.yield();
  }

  /** Runs what the person asked for; what prevents it becomes the notice. */
  async #attempt<T>(action: () => Promise<T>): Promise<T | null> {
    this.#notice = null;
    this.#ended = null;
    try {
      return await action();
    } catch (error) {
      const unexpected = () => failure('failed', error instanceof Error ? error.message : String(error));
      this.#notice = error instanceof FailureError ? error.failure : unexpected();
      return null;
    } finally {
      this.#changed();
    }
  }

  #invited(invitation: Invitation): void {
    // 486 (Busy Here), RFC 3261 21.4.24: this phone takes no more; another of the same user may.
    if (this.#calls.size >= CALLS_MAX) {
      void invitation.reject({ statusCode: 486 });
      return;
    }
    const { uri, displayName } = invitation.remoteIdentity;
    const local = uri.host === this.#line?.account.domain;
    const user = decodeURIComponent(uri.user ?? '');
    const number = local || user === '' ? user || uri.host : `${user}@${uri.host}`;
    this.#ended = null;
    this.#add(invitation, { number, name: displayName && displayName !== user ? displayName : '' });
  }

  #add(session: Inviter | Invitation, who: { number: string; name: string }): Call {
    const call = new Call(session, who, {
      changed: (changed) => this.#callChanged(changed),
      mediaFailed: (failed) => this.#recover(failed),
    });
    this.#calls.set(call.id, call);
    this.#changed();
    return call;
  }

  #callChanged(call: Call): void {
    if (call.phase === 'ended' && this.#calls.delete(call.id)) {
      this.#ended = call.snapshot;
      this.#events.ended(call.snapshot);
    }
    this.#changed();
  }

  #lineChanged(line: Line, state: LineState): void {
    if (line !== this.#line) return;
    this.#lineState = state;
    if (state.name === 'registered') this.#settle();
    if (state.name === 'signed-out') {
      for (const call of this.#calls.values()) void call.hangup(false);
      this.#line = null;
    }
    this.#changed();
  }

  /** The connection is back: pay what is owed, and find a path again for audio that lost its own. */
  #settle(): void {
    const owed = this.#owed;
    this.#owed = [];
    for (const call of owed) void call.hangup(true);
    for (const call of this.#calls.values()) this.#recover(call);
  }

  #recover(call: Call): void {
    if (this.#lineState.name !== 'registered' || call.snapshot.path !== 'failed') return;
    void this.#attempt(() => call.restartMedia());
  }

  #changed(): void {
    this.#events.changed(this.snapshot);
  }
}
