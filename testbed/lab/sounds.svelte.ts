/** What a phone that a person holds is heard doing: ringing, or the other one ringing. */
import { Tones, type ToneName } from '../softphone/browser/tones.ts';
import type { PhoneView } from './view-model.ts';

export class Sounds {
  /** Off until somebody wants it: browsers let a page make sounds only after a press. */
  isOn = $state(false);
  /** What is heard, null for silence. */
  playing = $state<ToneName | null>(null);
  #context: AudioContext | undefined;
  #tones: Tones | undefined;

  /** On: to be called while a press is handled. */
  turn(on: boolean): void {
    this.isOn = on;
    if (!on) {
      this.play(null);
      return;
    }
    this.#context ??= new AudioContext();
    this.#tones ??= new Tones(this.#context);
    void this.#context.resume();
  }

  /** Plays this and nothing else, when sounds are on; null for silence. */
  play(tone: ToneName | null): void {
    this.playing = this.isOn ? tone : null;
    this.#tones?.play(this.playing);
  }
}

/** The tone of the phones that are in somebody's hand: one that rings is more important than one that waits for an answer. */
export function toneOf(phones: readonly PhoneView[]): ToneName | null {
  const held = phones.filter(({ isTaken, mood }) => isTaken && mood !== 'off');
  const ringing = held.filter(({ calls }) => calls.some(({ isAnswerable }) => isAnswerable));
  if (ringing.some(({ mood }) => mood !== 'up')) return 'ring';
  if (ringing.length > 0) return 'waiting';
  const waits = held.some(({ calls }) =>
    calls.some(({ role, state }) => role === 'caller' && state === 'ringing'),
  );
  return waits ? 'ringback' : null;
}
