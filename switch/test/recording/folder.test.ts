import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REASON_OFFSET, RecordingWriter } from '../../../wasm-core/sim/recording/file.ts';
import { joined } from '../../../wasm-core/sim/recording/globals.ts';
import { END_NAMES, type EndName } from '../../../wasm-core/sim/recording/records.ts';
import { listRecordings, makeRoom, recordingKey } from '../../recording/folder.ts';
import { KEY } from './tape.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-recordings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An empty recording, the `minute`th of an hour. */
async function put(minute: number, ended: EndName): Promise<string> {
  const startedAt = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  const writer = await RecordingWriter.create({ node: 'a', startedAt, core: 'c0' }, KEY);
  const file = joined([writer.front, await writer.end(ended, 0)]);
  file[REASON_OFFSET] = END_NAMES.indexOf(ended);
  const name = `a-${minute}.strec`;
  writeFileSync(join(folder, name), file);
  return name;
}

describe('the folder of recordings', () => {
  it('lists recordings, oldest first, and nothing else', async () => {
    const second = await put(2, 'trap');
    const first = await put(1, 'operator');
    writeFileSync(join(folder, 'recording.key'), 'ab'.repeat(32));
    writeFileSync(join(folder, 'other.strec'), 'something else');
    const list = await listRecordings(folder);
    expect(list.map(({ name, ended }) => [name, ended])).toEqual([
      [first, 'operator'],
      [second, 'trap'],
    ]);
    expect(await listRecordings(join(folder, 'nowhere'))).toEqual([]);
  });

  it('makes room by removing the oldest, but no trap', async () => {
    const trap = await put(1, 'trap');
    await put(2, 'size');
    const third = await put(3, 'size');
    await makeRoom(folder, 3);
    expect(readdirSync(folder).sort()).toEqual([trap, third]);
    await makeRoom(folder, 3);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('says so when it is full of failures', async () => {
    await put(1, 'trap');
    await put(2, 'stuck');
    await expect(makeRoom(folder, 2)).rejects.toThrow('2 recordings of failures');
    expect(readdirSync(folder)).toHaveLength(2);
  });
});

describe('the key of recordings', () => {
  it('is made once, and only its owner may read it', async () => {
    const file = join(folder, 'keys/recording.key');
    const key = await recordingKey(file);
    expect(key).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await recordingKey(file)).toEqual(key);
    expect(await recordingKey(join(folder, 'another.key'))).not.toEqual(key);
  });

  it('is refused when others may read it, or when it is none', async () => {
    const file = join(folder, 'recording.key');
    await recordingKey(file);
    chmodSync(file, 0o644);
    await expect(recordingKey(file)).rejects.toThrow('chmod 600');
    writeFileSync(join(folder, 'wrong.key'), 'secret', { mode: 0o600 });
    await expect(recordingKey(join(folder, 'wrong.key'))).rejects.toThrow('64 hex digits');
    expect(existsSync(file)).toBe(true);
  });
});
