/**
 * Loading and driving the packet core of the RTP edge. The host writes datagrams into receive slots, calls `step`, and
 * sends what the output list says (layout: assembly/rtp/abi.ts).
 */
import * as abi from '../assembly/rtp/abi.ts';

interface EdgeExports {
  memory: WebAssembly.Memory;
  abiVersion(): number;
  init(legsMax: number, hostBytes: number): void;
  slotsPtr(): number;
  blockPtr(): number;
  hostPtr(): number;
  outputPtr(): number;
  outputCount(): number;
  countersPtr(): number;
  legAllocate(slot: number, nowUs: number): number;
  legConfigure(slot: number, nowUs: number): number;
  legFree(slot: number): number;
  legStats(slot: number, nowUs: number): number;
  step(received: number, nowUs: number): void;
}

export interface EdgeCoreOptions {
  /** Legs at the same time, 1 to 32,767 (each takes two ports). */
  legsMax: number;
  /** Bytes at `hostPtr` for the host's own use. Default 0. */
  hostBytes?: number;
}

/** One instance. Its memory never grows after `create`, so views and pointers into it stay good. */
export class EdgeCore {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
  /** K_* of abi.ts. */
  readonly counters: Float64Array;
  /** First receive slot. */
  readonly slotsPtr: number;
  readonly hostPtr: number;
  /** First OUT_* record. */
  readonly outputPtr: number;
  readonly #blockPtr: number;
  readonly #exports: EdgeExports;

  /** @throws when the module is not of this version, or there is not enough memory. */
  static async create(wasm: Uint8Array, options: EdgeCoreOptions): Promise<EdgeCore> {
    const { instance } = await WebAssembly.instantiate(wasm as BufferSource, {});
    const exports = instance.exports as unknown as EdgeExports;
    const version = exports.abiVersion();
    if (version !== abi.EDGE_ABI_VERSION) {
      throw new Error(
        `edge.wasm has interface version ${version}, not ${abi.EDGE_ABI_VERSION}; build it anew`,
      );
    }
    return new EdgeCore(exports, options);
  }

  private constructor(exports: EdgeExports, { legsMax, hostBytes = 0 }: EdgeCoreOptions) {
    if (!Number.isInteger(legsMax) || legsMax < 1 || legsMax > 32_767) {
      throw new RangeError(`legsMax ${legsMax} is not 1 to 32767`);
    }
    exports.init(legsMax, hostBytes);
    this.#exports = exports;
    this.memory = exports.memory;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.u32 = new Uint32Array(this.memory.buffer);
    this.counters = new Float64Array(this.memory.buffer, exports.countersPtr(), abi.K_COUNT);
    this.slotsPtr = exports.slotsPtr();
    this.hostPtr = exports.hostPtr();
    this.outputPtr = exports.outputPtr();
    this.#blockPtr = exports.blockPtr();
  }

  /** Begins a leg from an allocation block (ALLOC_*). False when the slot is taken or out of range. */
  allocate(slot: number, block: Uint8Array, nowUs: number): boolean {
    this.bytes.set(block.subarray(0, abi.ALLOC_BYTES), this.#blockPtr);
    return this.#exports.legAllocate(slot, nowUs) !== 0;
  }

  /** Configures a leg from a configuration block (CFG_*). False when there is none. */
  configure(slot: number, block: Uint8Array, nowUs: number): boolean {
    this.bytes.set(block.subarray(0, abi.CFG_BYTES), this.#blockPtr);
    return this.#exports.legConfigure(slot, nowUs) !== 0;
  }

  /** Ends a leg. False when there is none. */
  free(slot: number): boolean {
    return this.#exports.legFree(slot) !== 0;
  }

  /** Where the leg's statistics (S_*) are until the next call of anything here; 0 when there is no such leg. */
  stats(slot: number, nowUs: number): number {
    return this.#exports.legStats(slot, nowUs) !== 0 ? this.#blockPtr : 0;
  }

  /** Handles the datagrams in the first `received` slots. Returns how many are to be sent. */
  step(received: number, nowUs: number): number {
    this.#exports.step(received, nowUs);
    return this.#exports.outputCount();
  }
}
