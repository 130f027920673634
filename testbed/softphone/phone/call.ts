/** One call: a sip.js session with its media, as states a person understands. */
import { type Core, type Inviter, type Invitation, type Session, SessionState } from 'sip.js';
import { callFailure, type Failure, failure, FailureError } from './failure.ts';
import type { MediaPath, MediaPort } from './media.ts';
import { type Quality, QualityMonitor, readStats } from './quality.ts';
import { endOfBye, endOfCancel } from './reason.ts';

export type CallPhase =
  /** We call; nothing came back yet but 100. */
  | 'dialing'
  /** We call; their phone rings. */
  | 'ringing'
  /** They call. */
  | 'incoming'
  /** Answered here, not yet connected. */
  | 'answering'
  | 'active'
  | 'ended';

export type Outcome = 'completed' | 'missed' | 'declined' | 'cancelled' | 'failed' | 'elsewhere';

export interface CallSnapshot {
  readonly id: string;
  readonly direction: 'out' | 'in';
  readonly phase: CallPhase;
  /** Number or address of the other side, and the name it gives itself (may be empty). */
  readonly number: string;
  readonly name: string;
  /** `Date.now()` at its begin, answer and end; null while these are to come. */
  readonly startedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly held: boolean;
  readonly heldByRemote: boolean;
  /** A change of hold is being negotiated. */
  readonly holdPending: boolean;
  readonly muted: boolean;
  readonly path: MediaPath;
  /** Their side sends audio before the answer (an announcement, a ring tone). */
  readonly earlyMedia: boolean;
  /** How it ended; null before. */
  readonly outcome: Outcome | null;
  readonly failure: Failure | null;
}

export interface CallEvents {
  changed(call: Call): void;
  /** The audio lost its path and won't find it by itself: see {@link Call.restartMedia}. */
  mediaFailed(call: Call): void;
}

/** How often a change of hold that the other side can't take now is tried. */
const REINVITE_TRIES = 3;
/** The other side is still busy with our previous one (500 with Retry-After, RFC 3261 14.2): usually for moments, ms. */
const BUSY_RETRY_MS = 300;

let lastId = 0;

export class Call {
  readonly id = `call-${++lastId}`;
  readonly direction: 'out' | 'in';
  readonly number: string;
  readonly name: string;
  readonly session: Session;
  readonly #events: CallEvents;
  readonly #startedAtMs = Date.now();
  readonly #quality = new QualityMonitor();
  /** Resolved when the session is over, whatever was under way. */
  readonly #over = Promise.withResolvers<null>();
  #media: MediaPort | null = null;
  #phase: CallPhase;
  #answeredAtMs: number | null = null;
  #endedAtMs: number | null = null;
  #holdPending = false;
  #earlyMedia = false;
  #outcome: Outcome | null = null;
  #failure: Failure | null = null;
  #snapshot: CallSnapshot | null = null;

  constructor(session: Inviter | Invitation, who: { number: string; name: string }, events: CallEvents) {
    this.session = session;
    this.direction = 'cancel' in session ? 'out' : 'in';
    this.#phase = this.direction === 'out' ? 'dialing' : 'incoming';
    this.number = who.number;
    this.name = who.name;
    this.#events = events;
    session.delegate = {
      onSessionDescriptionHandler: (media) => this.#adopt(media as MediaPort),
      onBye: (bye) => this.#end(endOfBye(bye.request.getHeader('reason'))),
      onCancel: (cancel) => this.#end(endOfCancel(cancel.request.getHeader('reason'))),
      // The other side negotiated anew: it may have put us on hold, or taken us off.
      onInvite: () => this.#changed(),
    };
    session.stateChange.addListener((state) => this.#sessionChanged(state));
  }

  get media(): MediaPort | null {
    return this.#media;
  }

  get phase(): CallPhase {
    return this.#phase;
  }

  get held(): boolean {
    return this.#media?.hold ?? false;
  }

  /** The same object until something changed. */
  get snapshot(): CallSnapshot {
    this.#snapshot ??= {
      id: this.id,
      direction: this.direction,
      phase: this.#phase,
      number: this.number,
      name: this.name,
      startedAtMs: this.#startedAtMs,
      answeredAtMs: this.#answeredAtMs,
      endedAtMs: this.#endedAtMs,
      held: this.held,
      heldByRemote: this.#media?.heldByRemote ?? false,
      holdPending: this.#holdPending,
      muted: this.#media?.muted ?? false,
      path: this.#media?.path ?? 'none',
      earlyMedia: this.#earlyMedia,
      outcome: this.#outcome,
      failure: this.#failure,
    };
    return this.#snapshot;
  }

  /** Sends the INVITE. */
  async dial(): Promise<void> {
    const inviter = this.session as Inviter;
    try {
      await inviter.invite({
        requestDelegate: {
          onProgress: ({ message }) => this.#progressed(message),
          onReject: ({ message }) => this.#rejected(message),
          onRedirect: ({ message }) => this.#rejected(message),
        },
      });
    } catch (error) {
      this.#end({ outcome: 'failed', failure: failureOf(error) });
    }
  }

  async answer(): Promise<void> {
    if (this.#phase !== 'incoming') return;
    this.#phase = 'answering';
    this.#changed();
    try {
      await (this.session as Invitation).accept();
    } catch (error) {
      this.#end({ outcome: 'failed', failure: failureOf(error) });
    }
  }

  /** 486: other phones of ours go on ringing, which 603 would end (RFC 3261 21.6.2). */
  async reject(): Promise<void> {
    if (this.#phase !== 'incoming') return;
    this.#end({ outcome: 'declined', failure: null });
    await (this.session as Invitation).reject({ statusCode: 486 });
  }

  /**
   * CANCEL, BYE or a refusal, whichever fits.
   *
   * @param connected false: end it here, and return false where the other side must still be told
   */
  async hangup(connected: boolean): Promise<boolean> {
    if (this.#phase === 'incoming') {
      await this.reject();
      return true;
    }
    if (this.#phase !== 'ended')
      this.#end({ outcome: this.#answeredAtMs ? 'completed' : 'cancelled', failure: null });
    if (!connected) {
      this.#media?.close();
      return false;
    }
    await this.#leave();
    return true;
  }

  /** @throws FailureError when the other side refuses; the call is then as it was before */
  async setHold(on: boolean): Promise<void> {
    if (this.#phase !== 'active' || this.#holdPending || this.#media === null || this.#media.hold === on)
      return;
    const before = this.#media.hold;
    try {
      await this.#renegotiate(on);
    } catch (error) {
      this.#media.hold = before;
      this.#changed();
      throw error;
    }
  }

  /** Silent at once, whatever the other side makes of it: another call begins to talk. */
  yield(): void {
    if (this.#phase !== 'active' || this.#media === null || this.#media.hold) return;
    // While another change is under way, or when this one is refused, the call is silent all the same.
    if (this.#holdPending) this.#media.hold = true;
    else this.#renegotiate(true).catch(() => this.#changed());
  }

  setMuted(on: boolean): void {
    if (this.#media === null || this.#media.muted === on) return;
    this.#media.muted = on;
    this.#changed();
  }

  /** In RTP (RFC 4733), or by INFO where the other side takes no telephone-events. */
  async sendDtmf(tones: string): Promise<void> {
    if (this.#phase !== 'active' || this.#media === null) return;
    if (this.#media.sendDtmf(tones)) return;
    for (const tone of tones) {
      const content = `Signal=${tone}\r\nDuration=120\r\n`;
      await this.session.info({
        requestOptions: {
          body: { contentDisposition: 'render', contentType: 'application/dtmf-relay', content },
        },
      });
    }
  }

  /** Finds a new path for the audio after the network changed. */
  async restartMedia(): Promise<void> {
    if (this.#phase !== 'active' || this.#holdPending || this.#media === null) return;
    this.#media.restartIce();
    await this.#renegotiate(this.#media.hold);
  }

  /** @returns null without media */
  async quality(): Promise<Quality | null> {
    if (this.#media === null || this.#phase === 'ended') return null;
    return this.#quality.add(readStats(await this.#media.stats()));
  }

  async #leave(): Promise<void> {
    const { state } = this.session;
    if (state === SessionState.Established) await this.session.bye();
    else if (state === SessionState.Initial || state === SessionState.Establishing) {
      if (this.direction === 'out') await (this.session as Inviter).cancel();
      else await (this.session as Invitation).reject({ statusCode: 480 });
    }
  }

  async #renegotiate(hold: boolean): Promise<void> {
    this.#holdPending = true;
    this.#media!.hold = hold;
    this.#changed();
    try {
      await this.#reinvite(REINVITE_TRIES);
    } finally {
      this.#holdPending = false;
      this.#changed();
    }
  }

  async #reinvite(tries: number): Promise<void> {
    const answered = new Promise<Core.IncomingResponseMessage>((resolve, reject) => {
      const onFinal = ({ message }: { message: Core.IncomingResponseMessage }) => resolve(message);
      const requestDelegate = { onAccept: onFinal, onReject: onFinal, onRedirect: onFinal };
      this.session.invite({ requestDelegate }).catch(reject);
    });
    const answer = await Promise.race([answered, this.#over.promise]);
    if (answer === null) throw new FailureError(failure('failed'));
    const status = answer.statusCode ?? 0;
    if (status < 300) return;
    const retryMs = tries > 1 ? reinviteRetryMs(answer, this.direction) : null;
    if (retryMs !== null) {
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      if (this.#phase === 'active') return this.#reinvite(tries - 1);
    }
    // The other side has no such call any more (RFC 3261 12.2.1.2). After 408 it should be given up too, but whoever
    // is heard is still there, and may only be reconnecting.
    if (status === 481 || (status === 408 && this.#media?.path !== 'connected')) this.#dropped(answer);
    throw new FailureError(callFailure(status, answer.reasonPhrase ?? '', this.number, false));
  }

  #dropped(answer: Core.IncomingResponseMessage): void {
    this.#end({
      outcome: 'completed',
      failure: failure('call-lost', `${answer.statusCode} ${answer.reasonPhrase}`),
    });
    void this.#leave();
  }

  #adopt(media: MediaPort): void {
    this.#media = media;
    media.onChange = () => this.#mediaChanged(media.path);
    this.#changed();
  }

  #mediaChanged(path: MediaPath): void {
    const fails = path === 'failed' && this.#snapshot?.path !== 'failed';
    this.#changed();
    if (fails && this.#phase === 'active') this.#events.mediaFailed(this);
  }

  #progressed({ statusCode = 0, body }: Core.IncomingResponseMessage): void {
    if (this.#phase !== 'dialing' && this.#phase !== 'ringing') return;
    if (statusCode === 180) this.#phase = 'ringing';
    if (body) {
      this.#earlyMedia = true;
      // Should it not fit, the caller still hears the answer.
      this.#media?.applyEarlyAnswer(body).catch(() => {
        this.#earlyMedia = false;
        this.#changed();
      });
    }
    this.#changed();
  }

  #rejected({ statusCode = 0, reasonPhrase = '' }: Core.IncomingResponseMessage): void {
    const rang = this.#phase === 'ringing';
    this.#end({
      outcome: 'failed',
      failure: callFailure(statusCode, reasonPhrase, this.name || this.number, rang),
    });
  }

  #sessionChanged(state: SessionState): void {
    if (state === SessionState.Established && this.#phase !== 'ended') {
      this.#phase = 'active';
      this.#answeredAtMs = Date.now();
      this.#changed();
    }
    // Without BYE, CANCEL or a final response: it rang too long here, or the library gave up.
    if (state !== SessionState.Terminated) return;
    this.#over.resolve(null);
    queueMicrotask(() => this.#end(this.#unexplained()));
  }

  #unexplained(): End {
    if (this.#phase === 'incoming') return { outcome: 'missed', failure: null };
    return { outcome: this.#answeredAtMs ? 'completed' : 'failed', failure: failure('failed') };
  }

  #end({ outcome, failure: cause }: End): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#endedAtMs = Date.now();
    this.#outcome = outcome;
    this.#failure = cause;
    this.#changed();
  }

  #changed(): void {
    this.#snapshot = null;
    this.#events.changed(this);
  }
}

/** How a call ended. */
export interface End {
  outcome: Outcome;
  failure: Failure | null;
}

/**
 * When to repeat a refused re-INVITE, ms; null where that is of no use. Two that met (491): after 2.1 to 4 s for the
 * owner of the Call-ID, up to 2 s for the other (RFC 3261 14.1).
 */
function reinviteRetryMs(answer: Core.IncomingResponseMessage, direction: 'out' | 'in'): number | null {
  if (answer.statusCode === 491)
    return direction === 'out' ? 2_100 + Math.random() * 1_900 : Math.random() * 2_000;
  return answer.statusCode === 500 && answer.hasHeader('retry-after') ? BUSY_RETRY_MS : null;
}

/** Of an error on the way to an INVITE or a 200: its failure, or that the descriptions don't fit. */
function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return failure('media', error instanceof Error ? error.message : String(error));
}
