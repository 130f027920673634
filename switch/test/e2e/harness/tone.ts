/** Tones: written as WAV files, and found again in what was heard (Goertzel's algorithm), with their gaps. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Mono 16-bit sound. */
export interface Sound {
  /** Samples per second. */
  rate: number;
  /** -1..1, first channel only. */
  samples: Float32Array;
}

/** Writes a WAV file (16-bit PCM, mono) with a sine of `hz`; `amplitude` 0..1. */
export function writeTone(path: string, hz: number, seconds: number, rate = 8_000, amplitude = 0.4): void {
  const count = Math.round(seconds * rate);
  const file = Buffer.alloc(44 + count * 2);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + count * 2, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // channels
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(count * 2, 40);
  for (let i = 0; i < count; i++) {
    const sample = Math.sin((2 * Math.PI * hz * i) / rate) * amplitude;
    file.writeInt16LE(Math.round(sample * 32_767), 44 + i * 2);
  }
  writeFileSync(path, file);
}

/**
 * Reads a WAV file of 16-bit PCM. A file still being written has no right sizes in its header yet:
 * its data is then taken to go on to the end.
 */
export function readWav(path: string): Sound {
  const file = readFileSync(path);
  if (file.length < 44 || file.toString('latin1', 0, 4) !== 'RIFF')
    return { rate: 8_000, samples: new Float32Array(0) };
  let rate = 8_000;
  let channels = 1;
  for (let at = 12; at + 8 <= file.length; ) {
    const id = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = at + 8;
    if (id === 'fmt ') {
      channels = file.readUInt16LE(body + 2);
      rate = file.readUInt32LE(body + 4);
      if (file.readUInt16LE(body + 14) !== 16) throw new Error(`${path}: not 16-bit`);
    }
    if (id === 'data') {
      const end = size === 0 || body + size > file.length ? file.length : body + size;
      return { rate, samples: firstChannel(file, body, end, channels) };
    }
    at = body + size + (size & 1);
  }
  return { rate, samples: new Float32Array(0) };
}

function firstChannel(file: Buffer, start: number, end: number, channels: number): Float32Array {
  const step = channels * 2;
  const samples = new Float32Array(Math.floor((end - start) / step));
  for (let i = 0; i < samples.length; i++) samples[i] = file.readInt16LE(start + i * step) / 32_768;
  return samples;
}

/** Amplitude (0..1) of the component of `hz` in samples[start, end): Goertzel's algorithm. */
export function amplitudeAt(sound: Sound, hz: number, start = 0, end = sound.samples.length): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / sound.rate);
  let s1 = 0;
  let s2 = 0;
  for (let i = start; i < end; i++) {
    const s0 = sound.samples[i]! + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  return end > start ? (2 * Math.sqrt(Math.max(power, 0))) / (end - start) : 0;
}

/** Window in which a tone is or is not there, ms: 20 ms tell 440 Hz from 1,000 Hz and are one RTP packet. */
const WINDOW_MS = 20;
/** Least amplitude that counts as the tone: a twentieth of what {@link writeTone} writes. */
const AMPLITUDE_MIN = 0.02;

/** For each 20 ms of the sound, whether it is mostly the tone of `hz`. */
export function toneWindows(sound: Sound, hz: number): boolean[] {
  const length = Math.round((sound.rate * WINDOW_MS) / 1_000);
  const windows: boolean[] = [];
  for (let start = 0; start + length <= sound.samples.length; start += length) {
    const amplitude = amplitudeAt(sound, hz, start, start + length);
    let energy = 0;
    for (let i = start; i < start + length; i++) energy += sound.samples[i]! ** 2;
    const toneEnergy = (amplitude * amplitude * length) / 2;
    windows.push(amplitude >= AMPLITUDE_MIN && toneEnergy >= energy * 0.5);
  }
  return windows;
}

/** Milliseconds of the sound that are the tone of `hz`. */
export function toneMs(sound: Sound, hz: number): number {
  return toneWindows(sound, hz).filter(Boolean).length * WINDOW_MS;
}

/** Longest time without the tone between its first and its last appearance, ms. */
export function longestGapMs(sound: Sound, hz: number): number {
  const windows = toneWindows(sound, hz);
  let longest = 0;
  let last = windows.indexOf(true);
  for (let i = last + 1; i < windows.length; i++) {
    if (!windows[i]) continue;
    longest = Math.max(longest, i - last - 1);
    last = i;
  }
  return longest * WINDOW_MS;
}

/** What comes after its first `samples` samples. */
export function since(sound: Sound, samples: number): Sound {
  return { rate: sound.rate, samples: sound.samples.subarray(samples) };
}
