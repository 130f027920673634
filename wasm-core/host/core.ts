/**
 * Loading and driving the signalling core: the same in Node and in a browser.
 * The host puts event frames into receive slots, calls `step`, and carries out the effects.
 */
import * as abi from '../assembly/abi.ts';

/** A socket that messages come in by and leave from. */
export interface CoreListener {
  /** TRANSPORT_*. */
  transport: number;
  /** Host as written into Via and Record-Route, an IPv6 address in brackets; at most 60 characters. */
  host: string;
  port: number;
}

/** Sizes and settings that are fixed for the life of a core. */
export interface CoreInit {
  /** Key of cookies and nonces, 16 bytes; the nodes of a cluster share it. */
  secret: Uint8Array;
  listeners: readonly CoreListener[];
  callsMax?: number;
  transactionsMax?: number;
  branchesMax?: number;
  bindingsMax?: number;
  aorsMax?: number;
  /** Messages that wait for the media service at a time, at most 1,048,576. */
  pendingMax?: number;
  /** Pool blocks by size. */
  blocks256?: number;
  blocks1k?: number;
  blocks4k?: number;
  blocks64k?: number;
  /** Bytes of each of the two banks. */
  bankBytes?: number;
  /** Most branches of one INVITE, 1 to 16. */
  forkMax?: number;
  /** Media through the media service. */
  anchor?: boolean;
  t1Ms?: number;
  t2Ms?: number;
  t4Ms?: number;
  timerCMs?: number;
  expiresMinS?: number;
  expiresMaxS?: number;
  expiresDefaultS?: number;
  nonceTtlS?: number;
  mediaWaitMs?: number;
  contactsPerAorMax?: number;
  /** Bit n: an EF_CALL frame whenever a call enters CALL_STATE_n. */
  callEvents?: number;
  retryAfterS?: number;
  /** 0: no limit. */
  callDurationMaxS?: number;
  /** Budgets of the stages, µs. */
  budgetQueueUs?: number;
  budgetCoreUs?: number;
  budgetMediaUs?: number;
  budgetSetupUs?: number;
  budgetSetupMediaUs?: number;
  /** Wait of messages that means overload, µs; 0: never refuse for it. */
  overloadTargetUs?: number;
  /** Requests outside of dialogs, by source address and by user; 0 per second: no limit. */
  sourcePerS?: number;
  sourceBurst?: number;
  userPerS?: number;
  userBurst?: number;
  /** Sources and users followed at a time: 2 to this power, 4 to 24. */
  bucketBits?: number;
  /** ROLE_*: active, or standby until an EV_ROLE. */
  role?: number;
  /** Longest wait of an answer for the standby's acknowledgement, ms. */
  mirrorWaitMs?: number;
  /** 1: EF_JOURNAL for changed bindings. */
  journal?: number;
  /** Numbers that are never refused for overload or limits, at most 16 of 15 characters. */
  emergency?: readonly string[];
}

type Sizes = Omit<Required<CoreInit>, 'secret' | 'listeners' | 'anchor' | 'emergency'>;

/** What a core has when nothing else is said: a small switch. */
export const CORE_DEFAULTS: Sizes & { anchor: boolean } = {
  callsMax: 10_000,
  transactionsMax: 20_000,
  branchesMax: 40_000,
  bindingsMax: 20_000,
  aorsMax: 20_000,
  pendingMax: 2_000,
  blocks256: 40_000,
  blocks1k: 20_000,
  blocks4k: 10_000,
  blocks64k: 64,
  bankBytes: 4 << 20,
  forkMax: 8,
  anchor: false,
  t1Ms: 500,
  t2Ms: 4_000,
  t4Ms: 5_000,
  timerCMs: 181_000,
  expiresMinS: 30,
  expiresMaxS: 7_200,
  expiresDefaultS: 3_600,
  nonceTtlS: 300,
  mediaWaitMs: 2_000,
  contactsPerAorMax: 10,
  callEvents: 1 << abi.CALL_STATE_ENDED,
  retryAfterS: 5,
  callDurationMaxS: 0,
  budgetQueueUs: 100,
  budgetCoreUs: 20,
  budgetMediaUs: 5_000,
  budgetSetupUs: 300,
  budgetSetupMediaUs: 10_000,
  overloadTargetUs: 5_000,
  sourcePerS: 0,
  sourceBurst: 0,
  userPerS: 0,
  userBurst: 0,
  bucketBits: 12,
  role: abi.ROLE_ACTIVE,
  mirrorWaitMs: 5,
  journal: 0,
};

const OFFSETS: Record<keyof Sizes, number> = {
  callsMax: abi.I_CALLS_MAX,
  transactionsMax: abi.I_TRANSACTIONS_MAX,
  branchesMax: abi.I_BRANCHES_MAX,
  bindingsMax: abi.I_BINDINGS_MAX,
  aorsMax: abi.I_AORS_MAX,
  pendingMax: abi.I_PENDING_MAX,
  blocks256: abi.I_BLOCKS_256,
  blocks1k: abi.I_BLOCKS_1K,
  blocks4k: abi.I_BLOCKS_4K,
  blocks64k: abi.I_BLOCKS_64K,
  bankBytes: abi.I_BANK_BYTES,
  forkMax: abi.I_FORK_MAX,
  t1Ms: abi.I_T1_MS,
  t2Ms: abi.I_T2_MS,
  t4Ms: abi.I_T4_MS,
  timerCMs: abi.I_TIMER_C_MS,
  expiresMinS: abi.I_EXPIRES_MIN_S,
  expiresMaxS: abi.I_EXPIRES_MAX_S,
  expiresDefaultS: abi.I_EXPIRES_DEFAULT_S,
  nonceTtlS: abi.I_NONCE_TTL_S,
  mediaWaitMs: abi.I_MEDIA_WAIT_MS,
  contactsPerAorMax: abi.I_CONTACTS_PER_AOR_MAX,
  callEvents: abi.I_CALL_EVENTS,
  retryAfterS: abi.I_RETRY_AFTER_S,
  callDurationMaxS: abi.I_CALL_DURATION_MAX_S,
  budgetQueueUs: abi.I_BUDGET_QUEUE_US,
  budgetCoreUs: abi.I_BUDGET_CORE_US,
  budgetMediaUs: abi.I_BUDGET_MEDIA_US,
  budgetSetupUs: abi.I_BUDGET_SETUP_US,
  budgetSetupMediaUs: abi.I_BUDGET_SETUP_MEDIA_US,
  overloadTargetUs: abi.I_OVERLOAD_TARGET_US,
  sourcePerS: abi.I_SOURCE_PER_S,
  sourceBurst: abi.I_SOURCE_BURST,
  userPerS: abi.I_USER_PER_S,
  userBurst: abi.I_USER_BURST,
  bucketBits: abi.I_BUCKET_BITS,
  role: abi.I_ROLE,
  mirrorWaitMs: abi.I_MIRROR_WAIT_MS,
  journal: abi.I_JOURNAL,
};

/** What the module exports. */
export interface CoreExports extends WebAssembly.Exports {
  memory: WebAssembly.Memory;
  abiVersion(): number;
  initPtr(): number;
  init(nowUs: number): void;
  slotsPtr(): number;
  hostPtr(): number;
  step(nowUs: number, first: number, n: number): number;
  account(coreUs: number, sentUs: number): void;
  eventPtr(): number;
  effectsPtr(): number;
  effectsLength(): number;
  countersPtr(): number;
  nextDeadlineMs(): number;
  bankStage(bytes: number): number;
  mirrorDump(isFirst: number): number;
}

const LISTENER_HOST_BYTES_MAX = 60;
const SECRET_BYTES = 16;

/** One instance of the core. After `Core.create` its memory does not grow any more. */
export class Core {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
  /** What the core has counted so far, C_* in abi.ts. */
  readonly counters: Float64Array;
  /** Address of receive slot 0. */
  readonly slotsPtr: number;
  /** Address of 64 KiB that the core leaves to the host. */
  readonly hostPtr: number;
  /** Address of the effect buffer. */
  readonly effectsPtr: number;
  /** All exports of the module; what has no method here is for the bench. */
  readonly exports: CoreExports;

  /**
   * @param nowUs time, µs since the Unix epoch.
   * @throws Error when the module is of another ABI version or the settings don't fit.
   */
  static async create(wasm: BufferSource | WebAssembly.Module, init: CoreInit, nowUs: number): Promise<Core> {
    return Core.of(wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm), init, nowUs);
  }

  /** The same at once, of a module that is compiled. */
  static of(module: WebAssembly.Module, init: CoreInit, nowUs: number): Core {
    return new Core(new WebAssembly.Instance(module).exports as CoreExports, init, nowUs);
  }

  private constructor(exports: CoreExports, init: CoreInit, nowUs: number) {
    const version = exports.abiVersion();
    if (version !== abi.ABI_VERSION) {
      throw new Error(`the core speaks ABI ${version}, this host ${abi.ABI_VERSION}: run the build again`);
    }
    this.exports = exports;
    writeInit(exports.memory, exports.initPtr(), init);
    exports.init(nowUs);
    this.memory = exports.memory;
    const { buffer } = exports.memory;
    this.bytes = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.counters = new Float64Array(buffer, exports.countersPtr(), abi.C_COUNT);
    this.slotsPtr = exports.slotsPtr();
    this.hostPtr = exports.hostPtr();
    this.effectsPtr = exports.effectsPtr();
  }

  /** Address of a receive slot, 0 to RX_SLOTS - 1. */
  slot(index: number): number {
    return this.slotsPtr + index * abi.RX_SLOT_BYTES;
  }

  /** Copies an event frame into a slot. */
  writeSlot(index: number, frame: Uint8Array): void {
    this.bytes.set(frame, this.slot(index));
  }

  /**
   * Handles the events in slots first to first + n - 1 and all timers that are due. Returns how many events
   * were taken: fewer than n when the effects have to be carried out before the rest.
   */
  step(nowUs: number, first: number, n: number): number {
    return this.exports.step(nowUs, first, n);
  }

  /**
   * Says what the last step took per event (µs), and when its effects had been sent: for the latencies kept with calls.
   * After `step` and the carrying out of its effects; a host that doesn't measure need not call it.
   */
  account(coreUs: number, sentUs: number): void {
    this.exports.account(coreUs, sentUs);
  }

  /** Bytes of the effects of the last step, at `effectsPtr`. */
  effectsLength(): number {
    return this.exports.effectsLength();
  }

  /** When `step` has to be called at the latest, ms since the epoch; 0 when there is no need. */
  nextDeadlineMs(): number {
    return this.exports.nextDeadlineMs();
  }

  /**
   * Puts a bank (see bank.ts) where the core will look for it; an EV_BANK_READY frame with its size takes it into use.
   * Returns false when it is larger than a bank may be.
   */
  stageBank(bank: Uint8Array): boolean {
    const at = this.exports.bankStage(bank.length);
    if (at === 0) return false;
    this.bytes.set(bank, at);
    return true;
  }
}

function writeInit(memory: WebAssembly.Memory, at: number, init: CoreInit): void {
  const view = new DataView(memory.buffer);
  const values = { ...CORE_DEFAULTS, ...init };
  for (const [name, offset] of Object.entries(OFFSETS) as [keyof Sizes, number][]) {
    view.setUint32(at + offset, values[name], true);
  }
  view.setUint32(at + abi.I_ANCHOR, values.anchor ? 1 : 0, true);
  if (init.secret.length !== SECRET_BYTES)
    throw new Error(`the secret has ${init.secret.length} bytes, not 16`);
  new Uint8Array(memory.buffer).set(init.secret, at + abi.I_SECRET);
  if (init.listeners.length > abi.LISTENERS_MAX) {
    throw new Error(`${init.listeners.length} listeners, at most ${abi.LISTENERS_MAX}`);
  }
  view.setUint32(at + abi.I_LISTENERS, init.listeners.length, true);
  init.listeners.forEach((listener, i) => {
    writeListener(view, at + abi.I_LISTENER_0 + i * abi.LISTENER_BYTES, listener);
  });
  writeEmergency(view, at + abi.I_EMERGENCY_0, init.emergency ?? []);
}

function writeEmergency(view: DataView, at: number, numbers: readonly string[]): void {
  if (numbers.length > abi.EMERGENCY_MAX) {
    throw new Error(`${numbers.length} emergency numbers, at most ${abi.EMERGENCY_MAX}`);
  }
  numbers.forEach((number, i) => {
    const digits = new TextEncoder().encode(number);
    if (digits.length === 0 || digits.length >= abi.EMERGENCY_BYTES) {
      throw new Error(`an emergency number has 1 to ${abi.EMERGENCY_BYTES - 1} characters: '${number}'`);
    }
    view.setUint8(at + i * abi.EMERGENCY_BYTES, digits.length);
    new Uint8Array(view.buffer).set(digits, at + i * abi.EMERGENCY_BYTES + 1);
  });
}

function writeListener(view: DataView, at: number, listener: CoreListener): void {
  const host = new TextEncoder().encode(listener.host);
  if (host.length > LISTENER_HOST_BYTES_MAX)
    throw new Error(`the host of a listener is too long: ${listener.host}`);
  view.setUint8(at, listener.transport);
  view.setUint8(at + 1, host.length);
  view.setUint16(at + 2, listener.port, true);
  new Uint8Array(view.buffer).set(host, at + 4);
}
