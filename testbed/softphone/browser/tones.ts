/** Telephone tones, made by oscillators: no files, and nothing to load when it should ring. */

export type ToneName = 'ring' | 'waiting' | 'ringback' | 'busy' | 'ended';

/** Frequencies of a key, Hz (ITU-T Q.23). */
export const DTMF_HZ: Record<string, readonly [low: number, high: number]> = {
  '1': [697, 1209],
  '2': [697, 1336],
  '3': [697, 1477],
  '4': [770, 1209],
  '5': [770, 1336],
  '6': [770, 1477],
  '7': [852, 1209],
  '8': [852, 1336],
  '9': [852, 1477],
  '*': [941, 1209],
  '0': [941, 1336],
  '#': [941, 1477],
  A: [697, 1633],
  B: [770, 1633],
  C: [852, 1633],
  D: [941, 1633],
};

interface Note {
  hz: readonly number[];
  /** From the start of the pattern, s. */
  at: number;
  /** s */
  length: number;
  /** Dies away like a struck bell, instead of stopping. */
  bell?: boolean;
}

interface Pattern {
  notes: readonly Note[];
  /** After this it begins again, s; 0: played once. */
  everyS: number;
  gain: number;
}

/** Two bells, twice, and a pause. */
const RING: Note[] = [0, 0.9].flatMap((at) => [
  { hz: [659.3, 1318.5], at, length: 0.7, bell: true },
  { hz: [987.8, 1975.5], at: at + 0.14, length: 0.7, bell: true },
  { hz: [1318.5, 2637], at: at + 0.28, length: 0.9, bell: true },
]);

/** Ringback 425 Hz 1 s in 5 s and busy 0.5 s in 1 s: ITU-T E.180 and most of Europe. */
const PATTERNS: Record<ToneName, Pattern> = {
  ring: { notes: RING, everyS: 3.6, gain: 0.5 },
  waiting: { notes: [{ hz: [880], at: 0, length: 0.5, bell: true }], everyS: 6, gain: 0.25 },
  ringback: { notes: [{ hz: [425], at: 0, length: 1 }], everyS: 5, gain: 0.12 },
  busy: { notes: [0, 1, 2].map((at) => ({ hz: [425], at, length: 0.5 })), everyS: 0, gain: 0.12 },
  ended: {
    notes: [0, 0.16].map((at, i) => ({ hz: [i === 0 ? 523.3 : 392], at, length: 0.3, bell: true })),
    everyS: 0,
    gain: 0.2,
  },
};

/** Below this a sudden start or stop clicks, s. */
const RAMP_S = 0.006;
const KEY_S = 0.12;

export class Tones {
  readonly #context: AudioContext;
  #playing: ToneName | null = null;
  #output: GainNode | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(context: AudioContext) {
    this.#context = context;
  }

  get playing(): ToneName | null {
    return this.#playing;
  }

  /** Plays this and nothing else; null for silence. */
  play(name: ToneName | null): void {
    if (name === this.#playing) return;
    this.#stop();
    this.#playing = name;
    if (name === null) return;
    this.#output = this.#context.createGain();
    this.#output.gain.value = PATTERNS[name].gain;
    this.#output.connect(this.#context.destination);
    this.#round(PATTERNS[name]);
  }

  /** The two frequencies of a key, for a moment. */
  key(tone: string): void {
    const hz = DTMF_HZ[tone.toUpperCase()];
    if (hz === undefined) return;
    const output = this.#context.createGain();
    output.gain.value = 0.1;
    output.connect(this.#context.destination);
    this.#note(output, { hz, at: 0, length: KEY_S });
  }

  #round(pattern: Pattern): void {
    if (this.#output === null) return;
    for (const note of pattern.notes) this.#note(this.#output, note);
    const end = Math.max(...pattern.notes.map(({ at, length }) => at + length));
    const afterMs = (pattern.everyS || end) * 1000;
    this.#again = setTimeout(() => {
      if (pattern.everyS > 0) this.#round(pattern);
      else this.play(null);
    }, afterMs);
  }

  #note(output: GainNode, { hz, at, length, bell }: Note): void {
    const start = this.#context.currentTime + at + 0.01;
    const envelope = this.#context.createGain();
    envelope.connect(output);
    envelope.gain.setValueAtTime(0, start);
    envelope.gain.linearRampToValueAtTime(1 / hz.length, start + RAMP_S);
    if (bell) envelope.gain.setTargetAtTime(0, start + RAMP_S, length / 4);
    else envelope.gain.setValueAtTime(1 / hz.length, start + length - RAMP_S);
    envelope.gain.linearRampToValueAtTime(0, start + length);
    for (const frequency of hz) {
      const oscillator = this.#context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(envelope);
      oscillator.start(start);
      oscillator.stop(start + length);
    }
  }

  #stop(): void {
    clearTimeout(this.#again);
    this.#output?.disconnect();
    this.#output = null;
    this.#playing = null;
  }
}
