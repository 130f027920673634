/**
 * `window.strowgerPhone`: a thin handle on the phone for end-to-end tests. Pages may not rely on it.
 *
 * Stable `data-testid` attributes:
 * - sign-in form: `sign-in-user`, `sign-in-password`, `sign-in-domain`, `sign-in-server`, `sign-in-name`,
 *   `sign-in-remember`, `sign-in`, `demo-<user>`, `sign-in-failure` (with `data-code`)
 * - line: `line` (with `data-state`: a name of LineState), `reconnect-countdown`, `reconnect-now`, `sign-out`
 * - dialer: `number`, `key-<tone>`, `backspace`, `call`
 * - calls: `call-card` (one per call that is not over; `data-phase`, `data-id`, `data-held`, `data-held-by-remote`,
 *   `data-path`), within it `remote`, `call-timer`, `answer`, `reject`, `hangup`, `hold`, `mute`, `keypad`,
 *   `add-call`, `swap`, `level-in`, `level-out`
 * - quality: `quality` (with `data-grade`), `mos`, `loss`, `jitter`, `rtt`, `codec`
 * - what went wrong: `notice`, `ended` (both with `data-code`), `dismiss`
 * - `history-entry` (with `data-outcome`), `microphone`, `speaker`, `theme`
 */
import type { Account } from './phone/account.ts';
import type { PhoneSnapshot } from './phone/phone.ts';
import type { Quality } from './phone/quality.ts';
import type { Softphone } from './softphone.svelte.ts';

export interface StrowgerPhone {
  readonly state: PhoneSnapshot;
  /** Levels 0..1 of the call that talks. */
  readonly levels: { in: number; out: number };
  signIn(account: Account): Promise<void>;
  signOut(): Promise<void>;
  /** @returns the call's id; null when it couldn't begin, and `state.notice` says why */
  call(number: string): Promise<string | null>;
  answer(id?: string): Promise<void>;
  reject(id?: string): Promise<void>;
  hangup(id?: string): Promise<void>;
  hold(on: boolean, id?: string): Promise<void>;
  mute(on: boolean, id?: string): void;
  dtmf(tones: string, id?: string): Promise<void>;
  /** @returns null without a call */
  stats(id?: string): Promise<Quality | null>;
}

declare global {
  interface Window {
    strowgerPhone?: StrowgerPhone;
  }
}

export function exposeHook(softphone: Softphone): void {
  const { phone } = softphone;
  window.strowgerPhone = {
    get state() {
      return phone.snapshot;
    },
    get levels() {
      return softphone.audio.levels;
    },
    signIn: (account) => phone.signIn(account),
    signOut: () => phone.signOut(),
    call: (number) => phone.call(number),
    answer: (id) => phone.answer(id),
    reject: (id) => phone.reject(id),
    hangup: (id) => phone.hangup(id),
    hold: (on, id) => phone.hold(on, id),
    mute: (on, id) => phone.mute(on, id),
    dtmf: (tones, id) => phone.dtmf(tones, id),
    stats: (id) => phone.stats(id),
  };
}
