/** A recording that is being written to a file. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import zlib, { type ZlibOptions as DeflateOptions } from 'node:zlib';
import { REASON_OFFSET, RecordingWriter } from '../../wasm-core/sim/recording/file.ts';
import { END_NAMES, type EndName } from '../../wasm-core/sim/recording/records.ts';
import { joined } from '../../wasm-core/sim/recording/globals.ts';
import { nowUs } from '../control/clock.ts';
import { makeRoom, recordingName } from './folder.ts';
import type { Block } from './intake.ts';

/** What is the same for all files of a node. */
export interface SinkOptions {
  folder: string;
  /** Most recordings in the folder. */
  filesMax: number;
  /** Name of the node. */
  node: string;
  /** SHA-256 of the core. */
  core: string;
  key: Uint8Array<ArrayBuffer>;
}

/** Level 3 takes a third of the CPU of the usual 6, for files that are a fifth larger. */
const deflateRaw = promisify<Uint8Array, DeflateOptions, Buffer>(zlib.deflateRaw);
const deflate = async (bytes: Block): Promise<Block> => new Uint8Array(await deflateRaw(bytes, { level: 3 }));

/** Records of a state are gathered to blocks of about this size. */
const STATE_BLOCK_BYTES = 1 << 20;
const PAGES_PER_TURN = 256;

export class Sink {
  readonly name: string;
  readonly #file: FileHandle;
  readonly #writer: RecordingWriter;
  /** Bytes of the file so far, and of those the ones with which it begins: header and state. */
  bytes = 0;
  beginBytes = 0;

  /** Begins a file. @throws the system's error, or when the folder is full. */
  static async create(options: SinkOptions): Promise<Sink> {
    const { folder, node, core, key } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await makeRoom(folder, options.filesMax);
    const now = new Date();
    const name = recordingName(node, now);
    const file = await open(join(folder, name), 'wx', 0o600);
    const writer = await RecordingWriter.create({ node, core, startedAt: now.toISOString() }, key, deflate);
    const sink = new Sink(name, file, writer);
    await sink.#append(writer.front);
    return sink;
  }

  private constructor(name: string, file: FileHandle, writer: RecordingWriter) {
    this.name = name;
    this.#file = file;
    this.#writer = writer;
  }

  /** Writes a block of records. */
  async block(records: Block): Promise<void> {
    if (records.length > 0) await this.#append(await this.#writer.block(records));
  }

  /** Writes a state, with which the recording begins. */
  async state(records: Iterable<Block>): Promise<void> {
    let parts: Block[] = [];
    let bytes = 0;
    let pages = 0;
    for (const record of records) {
      if (++pages % PAGES_PER_TURN === 0) await setImmediate(); // others of this thread have their turn
      parts.push(record);
      bytes += record.length;
      if (bytes < STATE_BLOCK_BYTES) continue;
      await this.block(joined(parts));
      parts = [];
      bytes = 0;
    }
    await this.block(joined(parts));
    this.beginBytes = this.bytes;
  }

  /** Ends the file and says why. */
  async end(reason: EndName): Promise<void> {
    await this.#append(await this.#writer.end(reason, nowUs()));
    await this.#file.write(new Uint8Array([END_NAMES.indexOf(reason)]), 0, 1, REASON_OFFSET);
    await this.#file.sync();
    await this.#file.close();
  }

  async #append(bytes: Block): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, this.bytes);
    this.bytes += bytes.length;
  }
}
