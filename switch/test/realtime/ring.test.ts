import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { RingReader, RingWriter, ringMemory } from '../../realtime/ring.ts';

function record(n: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (n * 31 + i) & 255);
}

function take(reader: RingReader): Uint8Array {
  const found = reader.bytes.slice(reader.offset, reader.offset + reader.length);
  reader.release();
  return found;
}

describe('ring', () => {
  it('refuses a size that is not a power of two', () => {
    expect(() => ringMemory(1000)).toThrow('1000');
    expect(() => ringMemory(3000)).toThrow('power of two');
  });

  it('returns records in order and unchanged, many times around', () => {
    const memory = ringMemory(1024);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    for (let n = 0; n < 5_000; n++) {
      const sent = record(n, n % 301);
      expect(writer.push(sent, 0, sent.length)).toBe(true);
      expect(reader.next()).toBe(true);
      expect(take(reader)).toEqual(sent);
    }
    expect(reader.next()).toBe(false);
    expect(writer.depth).toBe(0);
  });

  it('refuses what does not fit, and takes it once there is room', () => {
    const memory = ringMemory(1024);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    const big = record(1, 400);
    expect(writer.push(big, 0, big.length)).toBe(true);
    expect(writer.push(big, 0, big.length)).toBe(true);
    expect(writer.push(big, 0, big.length)).toBe(false);
    reader.next();
    take(reader);
    expect(writer.push(big, 0, big.length)).toBe(true);
    reader.next();
    expect(take(reader)).toEqual(big);
    reader.next();
    expect(take(reader)).toEqual(big);
    expect(reader.next()).toBe(false);
  });

  it('writes a part of a larger buffer', () => {
    const memory = ringMemory(1024);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    const source = record(7, 100);
    writer.push(source, 10, 20);
    reader.next();
    expect(take(reader)).toEqual(source.slice(10, 30));
  });

  it('keeps order and content between two threads', async () => {
    const memory = ringMemory(4096);
    const worker = new Worker(new URL('./ring-writer.ts', import.meta.url), {
      workerData: { memory, records: 20_000 },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const reader = new RingReader(memory);
    let n = 0;
    while (n < 20_000) {
      const mark = reader.mark();
      while (reader.next()) {
        const found = take(reader);
        if (found.length !== n % 97 || found.some((byte) => byte !== (n & 255)))
          throw new Error(`record ${n} is wrong`);
        n++;
      }
      const wait = reader.waitPast(mark);
      if (n < 20_000 && wait.async) await wait.value;
    }
    await worker.terminate();
    expect(n).toBe(20_000);
  });
});
