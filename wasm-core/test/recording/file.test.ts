import { describe, expect, it } from 'vitest';
import { REASON_OFFSET, Recording, RecordingWriter, readFront } from '../../sim/recording/file.ts';
import {
  encodeRecord,
  END_NAMES,
  REC_BANK,
  REC_END,
  REC_EVENT,
  REC_STEP,
  RecordingError,
  RecordReader,
} from '../../sim/recording/records.ts';
import { joined } from '../../sim/recording/globals.ts';

const KEY = new Uint8Array(32).map((_, i) => i * 7);
const SECRET_TEXT = 'Digest username="1001", response="6629fae49393a05397450978507c4ef1"';
const FROM = { node: 'alpha', startedAt: '2026-11-23T16:00:00.000Z', core: 'ab'.repeat(32) };

function bank(text: string): Uint8Array<ArrayBuffer> {
  return encodeRecord({ kind: REC_BANK, data: new TextEncoder().encode(text) });
}

/** A finished file with three blocks before the last, and where each of its parts ends. */
async function makeFile(): Promise<{ file: Uint8Array<ArrayBuffer>; ends: number[] }> {
  const writer = await RecordingWriter.create(FROM, KEY);
  const parts = [writer.front];
  for (const n of [1, 2, 3]) parts.push(await writer.block(bank(`${n}: ${SECRET_TEXT}`.repeat(50))));
  parts.push(await writer.end('operator', 1_800_000_000_000_000));
  const ends: number[] = [];
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.length);
  const file = joined(parts);
  file[REASON_OFFSET] = END_NAMES.indexOf('operator');
  return { file, ends };
}

async function textsOf(recording: Recording): Promise<string[]> {
  const texts: string[] = [];
  for await (const { records } of recording.blocks()) {
    const record = new RecordReader(records);
    while (record.next()) texts.push(record.kind === REC_END ? 'end' : new TextDecoder().decode(record.data));
  }
  return texts;
}

/** What becomes of reading a file to its end. */
async function failure(file: Uint8Array, key = KEY): Promise<string> {
  try {
    await textsOf(await Recording.open(file, key));
    return 'none';
  } catch (error) {
    return (error as RecordingError).code;
  }
}

describe('a recording as a file', () => {
  it('is read as it was written', async () => {
    const { file } = await makeFile();
    const recording = await Recording.open(file, KEY);
    expect(recording.front).toMatchObject({ ...FROM, ended: 'operator' });
    const text = SECRET_TEXT;
    expect(await textsOf(recording)).toEqual([...[1, 2, 3].map((n) => `${n}: ${text}`.repeat(50)), 'end']);
    expect(recording.cut).toBe(false);
  });

  it('holds nothing of its contents in the clear', async () => {
    const { file } = await makeFile();
    const clear = new TextDecoder('latin1').decode(file);
    expect(clear).toContain('alpha');
    for (const secret of ['1001', 'Digest', '6629fae4']) expect(clear).not.toContain(secret);
  });

  it('differs each time, though key and contents are the same', async () => {
    const [one, other] = [(await makeFile()).file, (await makeFile()).file];
    expect(readFront(one).salt).not.toBe(readFront(other).salt);
    expect(one.slice(-40)).not.toEqual(other.slice(-40));
  });

  it('is not opened with another key', async () => {
    const { file } = await makeFile();
    expect(await failure(file, KEY.toReversed())).toBe('key');
    expect(await failure(file, KEY.slice(1))).toBe('key');
  });

  it('has no byte that can be changed unseen', async () => {
    const { file } = await makeFile();
    for (let at = 0; at < file.length; at++) {
      if (at === REASON_OFFSET) continue; // said again, and authenticated, in the last record
      const changed = file.slice();
      changed[at]! ^= 0x10;
      const { cut } = await readable(changed);
      if (!cut) expect(await failure(changed), `byte ${at}`).not.toBe('none');
    }
  });

  it('notices blocks that were left out or have changed places', async () => {
    const { file, ends } = await makeFile();
    const block = (n: number): Uint8Array => file.subarray(ends[n - 1], ends[n]);
    const front = file.subarray(0, ends[0]);
    expect(await failure(joined([front, block(2), block(1), block(3), block(4)]))).toBe('damaged');
    expect(await failure(joined([front, block(1), block(3), block(4)]))).toBe('damaged');
    expect(await failure(joined([front, block(1), block(1)]))).toBe('damaged');
  });

  it('is read up to its last whole block when it was cut, and says so', async () => {
    const { file, ends } = await makeFile();
    const recording = await Recording.open(file.subarray(0, ends[3]! - 1), KEY);
    expect(await textsOf(recording)).toHaveLength(2);
    expect(recording.cut).toBe(true);
    expect(await failure(file.subarray(0, ends[0]! - 1))).toBe('damaged');
    expect(await failure(file.subarray(0, 10))).toBe('format');
  });

  it('is refused when it is something else', async () => {
    expect(await failure(new TextEncoder().encode('INVITE sip:bob@strowger.test SIP/2.0'))).toBe('format');
    const { file } = await makeFile();
    file[8] = 99;
    expect(await failure(file)).toBe('format');
  });
});

/** Whether a file is taken for one that was cut: its last length says more than there is. */
async function readable(file: Uint8Array): Promise<{ cut: boolean }> {
  try {
    const recording = await Recording.open(file, KEY);
    await textsOf(recording);
    return { cut: recording.cut };
  } catch {
    return { cut: false };
  }
}

describe('records', () => {
  it('are refused where the core would be made to read beyond its slots', () => {
    const read = (record: Uint8Array) => () => new RecordReader(record).next();
    expect(read(encodeRecord({ kind: REC_EVENT, a: 64, data: new Uint8Array(64) }))).toThrow(RecordingError);
    expect(read(encodeRecord({ kind: REC_EVENT, a: 0, data: new Uint8Array(70_000) }))).toThrow(
      RecordingError,
    );
    expect(read(encodeRecord({ kind: REC_STEP, a: 60, b: 5 }))).toThrow(RecordingError);
    expect(read(encodeRecord({ kind: REC_STEP, a: 60, b: 4 }))).not.toThrow();
  });

  it('are refused when they are cut', () => {
    const record = encodeRecord({ kind: REC_BANK, data: new Uint8Array(100) });
    expect(() => new RecordReader(record.subarray(0, 90)).next()).toThrow(RecordingError);
    expect(() => new RecordReader(record.subarray(0, 20)).next()).toThrow(RecordingError);
  });
});
