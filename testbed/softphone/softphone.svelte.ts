/** The softphone as the components see it: the phone's snapshots, and what the browser adds to them. */
import type { Account } from './phone/account.ts';
import type { CallSnapshot } from './phone/call.ts';
import { BrowserMedia } from './phone/media.ts';
import { Phone, type PhoneSnapshot } from './phone/phone.ts';
import type { Quality } from './phone/quality.ts';
import { type Devices, listDevices, NO_DEVICES } from './browser/devices.ts';
import { Microphone } from './browser/microphone.ts';
import {
  addToHistory,
  clearHistory,
  type HistoryEntry,
  readHistory,
  readSession,
  readSettings,
  saveAccount,
  type Settings,
  writeSession,
  writeSettings,
} from './browser/storage.ts';
import { CallAudio } from './call-audio.svelte.ts';

/** Quality is read this often, ms. */
const QUALITY_MS = 1_000;
/** How many MOS values are kept for the graph. */
export const MOS_SLOTS = 60;

export class Softphone {
  readonly phone: Phone;
  readonly audio: CallAudio;
  snapshot = $state.raw<PhoneSnapshot>({
    line: { name: 'signed-out', failure: null },
    aor: null,
    calls: [],
    ended: null,
    notice: null,
  });
  devices = $state.raw<Devices>(NO_DEVICES);
  settings = $state<Settings>(readSettings(localStorage));
  history = $state.raw<HistoryEntry[]>([]);
  quality = $state.raw<Quality | null>(null);
  /** MOS of the call that talks, one per {@link QUALITY_MS}. */
  mosTrail = $state.raw<(number | null)[]>([]);
  /** `Date.now()`, once a second. */
  nowMs = $state(Date.now());
  /** Last number dialled from this page. */
  lastNumber = $state('');
  readonly #microphone: Microphone;
  #measured: string | null = null;
  #pending: { account: Account; remember: boolean } | null = null;

  constructor(instanceId: string) {
    this.#microphone = new Microphone(() => ({
      deviceId: this.settings.microphoneId,
      voiceProcessing: this.settings.voiceProcessing,
    }));
    this.audio = new CallAudio(() => this.phone);
    this.phone = new Phone(
      {
        instanceId,
        media: () => new BrowserMedia({ microphone: () => this.#microphone.track() }),
        prepareMicrophone: () => this.#prepareMicrophone(),
        nameOf: (number) => this.history.find((entry) => entry.number === number && entry.name)?.name ?? '',
      },
      { changed: (snapshot) => this.#changed(snapshot), ended: (call) => this.#ended(call) },
    );
    this.#watchBrowser();
  }

  /** Signs in with what the person typed. @param remember keep the password in this browser */
  async signIn(account: Account, remember: boolean): Promise<void> {
    this.#pending = { account, remember };
    await this.phone.signIn(account);
  }

  /**
   * Comes back after a reload as the account this tab had.
   *
   * @param user only if it was this one
   * @returns false when there was none
   */
  resume(user?: string): boolean {
    const account = readSession(sessionStorage);
    if (account === null || (user !== undefined && user !== account.user)) return false;
    void this.phone.signIn(account, true);
    return true;
  }

  async signOut(): Promise<void> {
    writeSession(sessionStorage, null);
    await this.phone.signOut();
  }

  async call(number: string): Promise<void> {
    this.lastNumber = number;
    await this.phone.call(number);
  }

  /** A key of the keypad: heard here, and sent when a call talks. */
  key(tone: string): void {
    this.audio.key(tone);
  }

  async useMicrophone(deviceId: string): Promise<void> {
    this.changeSettings({ microphoneId: deviceId });
    if (this.snapshot.calls.length > 0) await this.#reopenMicrophone();
  }

  async useSpeaker(deviceId: string): Promise<void> {
    this.changeSettings({ speakerId: deviceId });
    await this.audio.useSpeaker(deviceId);
  }

  async setVoiceProcessing(on: boolean): Promise<void> {
    this.changeSettings({ voiceProcessing: on });
    if (this.snapshot.calls.length > 0) await this.#reopenMicrophone();
  }

  changeSettings(change: Partial<Settings>): void {
    Object.assign(this.settings, change);
    writeSettings(localStorage, $state.snapshot(this.settings));
  }

  /** Asks for the microphone once, so that devices have names. */
  async allowMicrophone(): Promise<void> {
    await this.phone.allowMicrophone();
    if (this.snapshot.calls.length === 0) await this.#microphone.release();
  }

  forgetHistory(): void {
    if (this.snapshot.aor !== null) clearHistory(localStorage, this.snapshot.aor);
    this.history = [];
  }

  async #prepareMicrophone(): Promise<void> {
    await this.#microphone.prepare();
    if (!this.devices.named) this.devices = await listDevices();
  }

  async #reopenMicrophone(): Promise<void> {
    await this.#microphone.release();
    await this.phone.replaceMicrophone(() => this.#microphone.track());
  }

  #changed(snapshot: PhoneSnapshot): void {
    const before = this.snapshot;
    this.snapshot = snapshot;
    if (snapshot.aor !== before.aor)
      this.history = snapshot.aor ? readHistory(localStorage, snapshot.aor) : [];
    if (snapshot.line.name === 'registered' && this.#pending !== null) this.#remember(this.#pending);
    if (snapshot.line.name === 'signed-out' && snapshot.line.failure !== null)
      writeSession(sessionStorage, null);
    if (snapshot.calls.length === 0 && before.calls.length > 0) void this.#microphone.release();
    this.audio.update(snapshot.calls);
  }

  #remember({ account, remember }: { account: Account; remember: boolean }): void {
    this.#pending = null;
    saveAccount(localStorage, account, remember);
    writeSession(sessionStorage, account);
  }

  #ended(call: CallSnapshot): void {
    this.audio.ended(call);
    const { aor } = this.phone.snapshot;
    if (aor === null || call.outcome === null) return;
    const durationMs = call.answeredAtMs === null ? 0 : (call.endedAtMs ?? 0) - call.answeredAtMs;
    this.history = addToHistory(localStorage, aor, {
      id: `${call.startedAtMs}-${call.id}`,
      direction: call.direction,
      number: call.number,
      name: call.name,
      outcome: call.outcome,
      atMs: call.startedAtMs,
      durationMs,
      ...(call.failure ? { why: call.failure.code } : {}),
    });
  }

  async #measure(): Promise<void> {
    const talking = this.phone.find();
    const id = talking?.phase === 'active' ? talking.id : null;
    if (id !== this.#measured) this.mosTrail = [];
    this.#measured = id;
    this.quality = id === null ? null : await this.phone.stats(id);
    if (id !== null) this.mosTrail = [...this.mosTrail, this.quality?.mos ?? null].slice(-MOS_SLOTS);
  }

  #watchBrowser(): void {
    setInterval(() => {
      this.nowMs = Date.now();
    }, 250);
    setInterval(() => void this.#measure(), QUALITY_MS);
    window.addEventListener('online', () => this.phone.reconnectNow());
    window.addEventListener('offline', () => this.phone.networkLost());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.phone.reconnectNow();
    });
    window.addEventListener('pagehide', () => this.phone.leave());
    window.addEventListener('beforeunload', (event) => {
      if (this.snapshot.calls.some(({ phase }) => phase === 'active')) event.preventDefault();
    });
    navigator.mediaDevices?.addEventListener('devicechange', async () => {
      this.devices = await listDevices();
    });
    void listDevices().then((devices) => {
      this.devices = devices;
    });
    if (this.settings.speakerId !== '') void this.audio.useSpeaker(this.settings.speakerId);
  }
}
