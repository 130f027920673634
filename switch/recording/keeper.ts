/**
 * What becomes of the blocks. In a file, each is written as it comes, and a file that is full is followed by one that begins with the
 * state of the core. In memory, the last of them are kept, and those before live on in the state of a core that has done them.
 */
import type { EndName } from '../../wasm-core/sim/recording/records.ts';
import type { Follower } from './follower.ts';
import type { Intake } from './intake.ts';
import { Sink, type SinkOptions } from './sink.ts';

/** A file that was finished. */
export interface Finished {
  name: string;
  bytes: number;
}

export interface Keeper {
  /** Deals with the blocks that have come. Called again and again. */
  turn(): Promise<void>;
  /** Finishes a file. @param last  nothing comes any more. @returns null when there is none to finish. */
  finish(reason: EndName, last: boolean): Promise<Finished | null>;
}

/** `recording.mode: file`. */
export class FileKeeper implements Keeper {
  readonly #options: SinkOptions;
  readonly #bytesMax: number;
  readonly #intake: Intake;
  readonly #follower: Follower;
  #sink: Sink | null = null;

  /** @param bytesMax  of one file, without the state that it begins with, which may be larger. */
  constructor(options: SinkOptions, bytesMax: number, intake: Intake, follower: Follower) {
    this.#options = options;
    this.#bytesMax = bytesMax;
    this.#intake = intake;
    this.#follower = follower;
  }

  async turn(): Promise<void> {
    for (let block = this.#intake.shift(); block !== null; block = this.#intake.shift()) {
      const sink = await this.#open();
      this.#follower.take(block);
      await sink.block(block);
      if (sink.bytes - sink.beginBytes >= this.#bytesMax) await this.#close('size');
    }
  }

  async finish(reason: EndName, last: boolean): Promise<Finished | null> {
    this.#intake.flush();
    await this.turn();
    const sink = await this.#open();
    if (last) await sink.block(this.#intake.rest());
    return this.#close(reason);
  }

  /** The file that is being written, or a new one with the state of now. */
  async #open(): Promise<Sink> {
    if (this.#sink !== null) return this.#sink;
    const sink = await Sink.create(this.#options);
    this.#sink = sink;
    if (this.#follower.core.alive) await sink.state(this.#follower.core.state());
    return sink;
  }

  async #close(reason: EndName): Promise<Finished | null> {
    const sink = this.#sink;
    this.#sink = null;
    if (sink === null) return null;
    await sink.end(reason);
    return { name: sink.name, bytes: sink.bytes };
  }
}

/** `recording.mode: memory`. */
export class MemoryKeeper implements Keeper {
  readonly #options: SinkOptions;
  readonly #bytesMax: number;
  readonly #intake: Intake;
  readonly #follower: Follower;

  /** @param bytesMax  of what is kept. */
  constructor(options: SinkOptions, bytesMax: number, intake: Intake, follower: Follower) {
    this.#options = options;
    this.#bytesMax = bytesMax;
    this.#intake = intake;
    this.#follower = follower;
  }

  async turn(): Promise<void> {
    while (this.#intake.queueBytes > this.#bytesMax) this.#follower.take(this.#intake.shift()!);
  }

  async finish(reason: EndName, last: boolean): Promise<Finished | null> {
    if (reason === 'stop') return null;
    this.#intake.flush();
    await this.turn();
    const blocks = [...this.#intake.blocks];
    const rest = this.#intake.rest();
    const sink = await Sink.create(this.#options);
    if (this.#follower.core.alive) await sink.state(this.#follower.core.state());
    for (const block of blocks) await sink.block(block);
    if (last) await sink.block(rest);
    await sink.end(reason);
    return { name: sink.name, bytes: sink.bytes };
  }
}
