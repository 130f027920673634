/** The folder of recordings: names, what there is, and how much of it is kept. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FRONT_BYTES_MAX, KEY_BYTES, readFront } from '../../wasm-core/sim/recording/file.ts';
import { type EndName, RecordingError } from '../../wasm-core/sim/recording/records.ts';

const EXTENSION = '.strec';
/** Names of recordings, and of nothing else in the folder: the key may lie there. */
export const RECORDING_NAME = '^[A-Za-z0-9_.-]{1,200}\\.strec$';
/** What only happens once, and may not come again, is never removed to make room. */
const KEPT: readonly EndName[] = ['trap', 'stuck', 'failure'];

/** A file in the folder. */
export interface RecordingFile {
  name: string;
  bytes: number;
  node: string;
  /** RFC 3339. */
  startedAt: string;
  /** Why it ended; `open`: it is being written, or its writer died. */
  ended: EndName;
  /** SHA-256 of the core. */
  core: string;
  /** Id of the key. */
  key: string;
}

/** A name for a recording that begins now. */
export function recordingName(node: string, now: Date): string {
  return `${node}-${now.toISOString().replaceAll(':', '-')}${EXTENSION}`;
}

/** The recordings in a folder, oldest first; none when there is no folder. */
export async function listRecordings(folder: string): Promise<RecordingFile[]> {
  const names = await readdir(folder).catch(noneIfAbsent<string[]>([]));
  const wanted = new RegExp(RECORDING_NAME);
  const files = await Promise.all(
    names.filter((name) => wanted.test(name)).map((name) => look(folder, name)),
  );
  return files
    .filter((file) => file !== null)
    .sort((a, b) => a.startedAt.localeCompare(b.startedAt) || a.name.localeCompare(b.name));
}

/** What a file says of itself; null when it is no recording, or has gone meanwhile. */
async function look(folder: string, name: string): Promise<RecordingFile | null> {
  const file = await open(join(folder, name)).catch(noneIfAbsent(null));
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    const begin = new Uint8Array(Math.min(size, FRONT_BYTES_MAX));
    await file.read(begin, 0, begin.length, 0);
    const { node, startedAt, ended, core, key } = readFront(begin);
    return { name, bytes: size, node, startedAt, ended, core, key };
  } catch (error) {
    if (error instanceof RecordingError) return null;
    throw error;
  } finally {
    await file.close();
  }
}

function noneIfAbsent<T>(none: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return none;
    throw error;
  };
}

/**
 * Makes room for one more: removes the oldest, but none that ended by a trap or a failure.
 * @throws Error when the folder is full of those.
 */
export async function makeRoom(folder: string, filesMax: number): Promise<void> {
  const files = await listRecordings(folder);
  const removable = files.filter(({ ended }) => !KEPT.includes(ended));
  for (let over = files.length + 1 - filesMax; over > 0; over--) {
    const oldest = removable.shift();
    if (oldest === undefined)
      throw new Error(`${folder} has ${files.length} recordings of failures; look at them and remove some`);
    await unlink(join(folder, oldest.name));
  }
}

/** Where the key is. */
export function keyFileOf({ keyFile, folder }: { keyFile?: string | undefined; folder: string }): string {
  return keyFile ?? join(folder, 'recording.key');
}

/**
 * The key that recordings are encrypted with: 64 hex digits in a file that only its owner may read. Made when there is none.
 * @throws Error when the file can't be read or holds something else.
 */
export async function recordingKey(file: string): Promise<Uint8Array<ArrayBuffer>> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const made = `${randomBytes(KEY_BYTES).toString('hex')}\n`;
  await writeFile(file, made, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0 && process.platform !== 'win32')
    throw new Error(`${file} can be read by others; run: chmod 600 ${basename(file)}`);
  return parseKey(await readFile(file, 'utf8'), file);
}

/** A key as its file has it. @throws Error */
export function parseKey(text: string, file: string): Uint8Array<ArrayBuffer> {
  const digits = text.trim();
  if (!/^[0-9a-f]{64}$/i.test(digits)) throw new Error(`${file} is no key of recordings (64 hex digits)`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}
