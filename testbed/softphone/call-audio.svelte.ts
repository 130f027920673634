/** What is heard and seen of the calls' audio: playback, tones and levels. */
import type { CallSnapshot } from './phone/call.ts';
import type { Phone } from './phone/phone.ts';
import { decay, LevelMeter } from './browser/levels.ts';
import { endToneFor, toneFor } from './browser/tone-choice.ts';
import { Tones } from './browser/tones.ts';

interface Player {
  element: HTMLAudioElement;
  /** Of the tracks that are measured, so that a change is noticed. */
  trackIds: string;
  heard: LevelMeter | null;
  spoken: LevelMeter | null;
}

/** An element or context that can play somewhere else (W3C Audio Output Devices; not in every browser). */
interface Sink {
  setSinkId?: (id: string) => Promise<void>;
}

export class CallAudio {
  /** 0..1, of the call that talks. */
  levels = $state({ in: 0, out: 0 });
  readonly #context = new AudioContext();
  readonly #tones = new Tones(this.#context);
  readonly #players = new Map<string, Player>();
  readonly #phone: () => Phone;
  #speakerId = '';
  #frame = 0;

  constructor(phone: () => Phone) {
    this.#phone = phone;
    // Browsers let a page make sounds only after the person has touched it.
    for (const name of ['pointerdown', 'keydown']) {
      window.addEventListener(name, () => void this.#context.resume(), { capture: true });
    }
  }

  /** Follows the calls: called on every change. */
  update(calls: readonly CallSnapshot[]): void {
    const ids = new Set(calls.map(({ id }) => id));
    for (const [id, player] of this.#players) if (!ids.has(id)) this.#close(id, player);
    for (const call of calls) this.#follow(call);
    const tone = toneFor(calls);
    // A short tone about a call that ended plays to its end, unless there is another to play.
    const ending = this.#tones.playing === 'busy' || this.#tones.playing === 'ended';
    if (tone !== null || !ending) this.#tones.play(tone);
    if (this.#players.size > 0 && this.#frame === 0) this.#measure();
  }

  ended(call: CallSnapshot): void {
    this.#tones.play(endToneFor(call));
  }

  key(tone: string): void {
    this.#tones.key(tone);
  }

  /** @param id empty: the system's choice */
  async useSpeaker(id: string): Promise<void> {
    this.#speakerId = id;
    const sinks: Sink[] = [
      this.#context as Sink,
      ...[...this.#players.values()].map(({ element }) => element),
    ];
    // A speaker that is gone leaves audio where it was.
    await Promise.allSettled(sinks.map((sink) => sink.setSinkId?.(id)));
  }

  #follow(call: CallSnapshot): void {
    const media = this.#phone().find(call.id)?.media;
    if (!media) return;
    const heard = media.remoteStream?.getAudioTracks()[0];
    const spoken = media.localStream?.getAudioTracks()[0];
    const trackIds = `${heard?.id} ${spoken?.id}`;
    let player = this.#players.get(call.id);
    if (player === undefined) {
      player = { element: new Audio(), trackIds: '', heard: null, spoken: null };
      player.element.autoplay = true;
      (player.element as Sink).setSinkId?.(this.#speakerId).catch(() => undefined);
      this.#players.set(call.id, player);
    }
    player.element.muted = call.held;
    if (player.trackIds === trackIds) return;
    player.trackIds = trackIds;
    player.heard?.close();
    player.spoken?.close();
    player.heard = heard ? new LevelMeter(this.#context, heard) : null;
    player.spoken = spoken ? new LevelMeter(this.#context, spoken) : null;
    player.element.srcObject = media.remoteStream;
    // Not before the person touched the page; the next touch resumes it.
    player.element.play().catch(() => undefined);
  }

  #close(id: string, { element, heard, spoken }: Player): void {
    heard?.close();
    spoken?.close();
    element.srcObject = null;
    this.#players.delete(id);
  }

  #measure(): void {
    const talking = this.#players.get(this.#phone().find()?.id ?? '');
    if (this.#players.size === 0) {
      this.#frame = 0;
      this.levels = { in: 0, out: 0 };
      return;
    }
    this.levels = {
      in: decay(this.levels.in, talking?.heard?.read() ?? 0),
      out: decay(this.levels.out, talking?.spoken?.read() ?? 0),
    };
    this.#frame = requestAnimationFrame(() => this.#measure());
  }
}
