/**
 * The line: one account's connection to the switch and its registration, kept up. Calls live on top of it and outlive
 * its connections: the same user agent, Contact and instance id (RFC 5626) are used for every one.
 */
import {
  type Invitation,
  Registerer,
  RegistererState,
  RequestPendingError,
  UserAgent,
  UserAgentState,
  type Core,
  type Web,
} from 'sip.js';
import type { SessionDescriptionHandlerFactory } from 'sip.js/lib/api/session-description-handler-factory.js';
import { type Account, accountUri, isServerAddress } from './account.ts';
import { type BackoffOptions, backoffMs, DEFAULT_BACKOFF } from './backoff.ts';
import { Credentials } from './digest.ts';
import { type Failure, failure, isPermanent, registerFailure } from './failure.ts';
import { DEFAULT_KEEPALIVE, Keepalive, type KeepaliveOptions } from './keepalive.ts';

export type LineState =
  | { name: 'signed-out'; failure: Failure | null }
  | { name: 'connecting' }
  | { name: 'registering' }
  | { name: 'registered' }
  /** Lost; the next attempt is at `retryAtMs` (as `Date.now()`), after `failures` that failed in a row. */
  | { name: 'waiting'; failure: Failure; retryAtMs: number; failures: number };

export interface LineOptions {
  /** RFC 5626 4.1: a UUID, stable for this installation (here: for this tab). */
  instanceId: string;
  media: SessionDescriptionHandlerFactory;
  backoff?: BackoffOptions;
  keepalive?: KeepaliveOptions;
  /** Registration interval to ask for, s. */
  expiresS?: number;
  /** Uniform in [0, 1). */
  random?: () => number;
}

export interface LineEvents {
  changed(state: LineState): void;
  invited(invitation: Invitation): void;
}

const EXPIRES_S = 600;
/** How long an incoming call may ring before we answer 480, s. */
const RING_S = 90;
/** Signing out waits no longer than this for the server's answer, ms. */
const UNREGISTER_MS = 1_500;
/** Timer F (RFC 3261 17.1.2.2) is 32 s; an answer that sip.js drops silently is noticed after this, ms. */
const REGISTER_MS = 34_000;
/** Below the 35 s after which browsers give up by themselves, s. */
const CONNECT_S = 8;

export class Line {
  readonly account: Account;
  readonly agent: UserAgent;
  readonly #options: LineOptions;
  readonly #events: LineEvents;
  #registerer: Registerer;
  #state: LineState = { name: 'connecting' };
  #keepalive: Keepalive | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #guard: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  /** Registered at least once: from then on nothing but the user, or a refusal, ends the line. */
  #established: boolean;
  #closed = false;

  /**
   * @param keepTrying also when the very first connection fails (an account that was used before)
   * @throws TypeError when the account isn't one; see {@link accountFailure}
   */
  constructor(account: Account, options: LineOptions, events: LineEvents, keepTrying: boolean) {
    this.account = account;
    this.#options = options;
    this.#events = events;
    this.#established = keepTrying;
    this.agent = this.#createAgent();
    this.#registerer = this.#createRegisterer();
  }

  get state(): LineState {
    return this.#state;
  }

  /** Connects and registers; the outcome comes as {@link LineEvents.changed}. */
  async open(): Promise<void> {
    if (this.#closed) return;
    this.#set({ name: 'connecting' });
    try {
      const starts = this.agent.state === UserAgentState.Stopped;
      await (starts ? this.agent.start() : this.agent.reconnect());
    } catch (error) {
      this.#lost(failure('unreachable', error instanceof Error ? error.message : undefined));
      return;
    }
    if (this.#closed) return;
    this.#watch();
    await this.#register();
  }

  /** Ends a wait for the next attempt, or checks a connection that may have died while the machine slept. */
  retryNow(): void {
    if (this.#state.name === 'registered') this.#keepalive?.probe();
    if (this.#state.name === 'waiting') this.#attempt();
  }

  /** The browser says the network is gone: don't wait for a timeout. */
  networkLost(): void {
    if (this.agent.isConnected()) this.#disconnect();
  }

  /** Unregisters, as far as the server still answers, and ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const registered = this.#state.name === 'registered';
    this.#closed = true;
    this.#stopTimers();
    if (registered && this.agent.isConnected()) await this.#unregister();
    await this.agent.stop();
    this.#state = { name: 'signed-out', failure: null };
    this.#events.changed(this.#state);
  }

  #createAgent(): UserAgent {
    const { account } = this;
    const agent = new UserAgent({
      uri: accountUri(account) ?? undefined,
      displayName: account.displayName ?? '',
      authorizationUsername: account.user,
      authorizationPassword: account.password,
      contactParams: { transport: new URL(account.server).protocol === 'wss:' ? 'wss' : 'ws' },
      instanceId: this.#options.instanceId,
      noAnswerTimeout: RING_S,
      gracefulShutdown: false,
      userAgentString: 'Strowger Softphone',
      sessionDescriptionHandlerFactory: this.#options.media,
      transportOptions: {
        server: account.server,
        connectionTimeout: CONNECT_S,
        keepAliveInterval: 0,
        traceSip: false,
      },
      logBuiltinEnabled: false,
      logConfiguration: false,
      logLevel: 'error',
      delegate: {
        onInvite: (invitation) => this.#events.invited(invitation),
        onDisconnect: () => this.#lost(failure('connection-lost')),
      },
    });
    agent.userAgentCore.configuration.authenticationFactory = () =>
      new Credentials(agent.getLoggerFactory(), account.user, account.password);
    return agent;
  }

  #createRegisterer(): Registerer {
    const { instanceId, expiresS } = this.#options;
    const registerer = new Registerer(this.agent, {
      expires: expiresS ?? EXPIRES_S,
      refreshFrequency: 80,
      instanceId,
      regId: 1,
      logConfiguration: false,
    });
    registerer.stateChange.addListener((state) => {
      if (registerer !== this.#registerer || this.#closed) return;
      // After a 423 sip.js asks again by itself, and this is the only sign that it was accepted.
      if (state === RegistererState.Registered && this.#state.name === 'registering') this.#registered();
      // A refresh failed, or the registration ran out: what the server has to say comes by asking again.
      const dropped = state === RegistererState.Unregistered && this.#state.name === 'registered';
      if (dropped && this.agent.isConnected()) queueMicrotask(() => void this.#register());
    });
    return registerer;
  }

  async #register(): Promise<void> {
    this.#set({ name: 'registering' });
    clearTimeout(this.#guard);
    this.#guard = setTimeout(() => this.#refused(registerFailure(408, 'no valid answer')), REGISTER_MS);
    try {
      await this.#registerer.register({
        requestDelegate: {
          onAccept: () => this.#registered(),
          onReject: ({ message }) => this.#rejected(message),
          onRedirect: ({ message }) => this.#rejected(message),
        },
      });
    } catch (error) {
      if (!(error instanceof RequestPendingError)) throw error;
      // A refresh was on its way when the connection broke. Its answer won't come: leave it to its timeout.
      void this.#registerer.dispose();
      this.#registerer = this.#createRegisterer();
      await this.#register();
    }
  }

  #registered(): void {
    if (this.#closed) return;
    clearTimeout(this.#guard);
    clearTimeout(this.#retry);
    this.#failures = 0;
    this.#established = true;
    this.#set({ name: 'registered' });
  }

  /** sip.js makes up a 408 after a timeout and a 503 after a transport error. */
  #rejected({ statusCode = 0, reasonPhrase = '' }: Core.IncomingResponseMessage): void {
    this.#refused(registerFailure(statusCode, reasonPhrase), this.#registerer.retryAfter);
  }

  /** @param retryAfterS what the server asked for with a 503 (RFC 3261 20.33) */
  #refused(cause: Failure, retryAfterS = 0): void {
    clearTimeout(this.#guard);
    if (this.#closed) return;
    if (isPermanent(cause.code)) this.#giveUp(cause);
    else this.#lost(cause, retryAfterS * 1000);
  }

  /** The connection or the registration is gone: plan the next attempt. */
  #lost(cause: Failure, retryAfterMs = 0): void {
    if (this.#closed || this.#state.name === 'waiting') return;
    this.#stopTimers();
    if (this.#established) this.#planRetry(cause, retryAfterMs);
    else this.#giveUp(cause);
  }

  #planRetry(cause: Failure, retryAfterMs: number): void {
    const { backoff = DEFAULT_BACKOFF, random = Math.random } = this.#options;
    const waitMs = Math.max(retryAfterMs, backoffMs(this.#failures, random(), backoff));
    this.#set({ name: 'waiting', failure: cause, retryAtMs: Date.now() + waitMs, failures: this.#failures });
    this.#failures++;
    this.#retry = setTimeout(() => this.#attempt(), waitMs);
  }

  #attempt(): void {
    clearTimeout(this.#retry);
    if (this.agent.isConnected()) {
      this.#watch();
      void this.#register();
    } else {
      void this.open();
    }
  }

  #giveUp(cause: Failure): void {
    this.#closed = true;
    this.#stopTimers();
    void this.agent.stop();
    this.#set({ name: 'signed-out', failure: cause });
  }

  /** Begins to watch the connection just made. */
  #watch(): void {
    this.#keepalive?.stop();
    const socket = transportSocket(this.agent);
    if (socket === undefined) return;
    this.#keepalive = new Keepalive(
      socket,
      () => this.#disconnect(),
      this.#options.keepalive ?? DEFAULT_KEEPALIVE,
    );
  }

  /** Drops a connection that is no good; onDisconnect, which comes at once, does the rest. */
  #disconnect(): void {
    // A dead connection takes its time to close; sip.js rejects when the next one is made before that.
    this.agent.transport.disconnect().catch(() => undefined);
  }

  async #unregister(): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      const requestDelegate = { onAccept: () => resolve(), onReject: () => resolve() };
      // A refresh in progress can't be overtaken; the server drops the binding with the connection.
      this.#registerer.unregister({ requestDelegate }).catch(() => resolve());
    });
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, UNREGISTER_MS))]);
  }

  #stopTimers(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#guard);
    this.#keepalive?.stop();
    this.#keepalive = null;
  }

  #set(state: LineState): void {
    this.#state = state;
    this.#events.changed(state);
  }
}

/** The WebSocket below sip.js's web transport. */
function transportSocket(agent: UserAgent): WebSocket | undefined {
  return (agent.transport as Web.Transport).ws;
}

/** What is wrong with an account before anything is sent; null when nothing is. */
export function accountFailure(account: Account): Failure | null {
  if (!isServerAddress(account.server)) return failure('bad-account', `server ${account.server}`);
  if (accountUri(account) === null) return failure('bad-account', `user ${account.user}@${account.domain}`);
  return null;
}
