/** How loud a stream is, for a meter. */

/** What the lower end of the meter stands for, dB relative to full scale; the upper end is 0 dBFS. */
export const FLOOR_DB = -60;

/** Root mean square of samples in -1..1, as a position 0..1 on a meter that is linear in decibels. */
export function levelOf(samples: Float32Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  if (energy === 0) return 0;
  const db = 10 * Math.log10(energy / samples.length);
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}

/** Rises at once and falls slowly, as a VU meter does, so that syllables can be seen. */
export function decay(shown: number, level: number): number {
  return level >= shown ? level : Math.max(level, shown - 0.04);
}

const WINDOW_SAMPLES = 1024;

/** Listens to one track; nothing is played. */
export class LevelMeter {
  readonly #source: MediaStreamAudioSourceNode;
  readonly #analyser: AnalyserNode;
  readonly #samples = new Float32Array(WINDOW_SAMPLES);

  constructor(context: AudioContext, track: MediaStreamTrack) {
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = WINDOW_SAMPLES;
    this.#source.connect(this.#analyser);
  }

  /** 0..1, of the last 20 ms or so. */
  read(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return levelOf(this.#samples);
  }

  close(): void {
    this.#source.disconnect();
  }
}
