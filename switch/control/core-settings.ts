/** The core's sizes and settings, from the configuration. */
import { beginsAsStandby } from './config/standby.ts';
import { ROLE_ACTIVE, ROLE_STANDBY } from '../../wasm-core/assembly/abi.ts';
import type { CoreInit } from '../../wasm-core/host/core.ts';
import { callEventsMask } from './call-log.ts';
import type { LoadedConfig } from './config/load.ts';
import { listenerTable } from './listeners.ts';

const BANK_BYTES_MIN = 4 << 20;
const PAGE_BYTES = 65_536;
/** The core waits this much longer for media than the bridge, which always answers. */
const MEDIA_GRACE_MS = 500;
/** Whole datagrams that can be kept at once. */
const BLOCKS_64K = 64;

/** Room for the bank of now, and for one twice as large to be loaded later. */
function bankBytes(bank: SharedArrayBuffer): number {
  const wanted = Math.max(BANK_BYTES_MIN, 2 * bank.byteLength);
  return Math.ceil(wanted / PAGE_BYTES) * PAGE_BYTES;
}

/**
 * Memory blocks by size. A binding keeps its URIs (256 bytes, at times 1K), a call the strings it needs for its BYE
 * (256 bytes, at times 1K), a transaction the INVITE and the last response until it is answered (1K each, at times
 * 4K). Blocks that are never used take no real memory.
 */
function blocks({ calls, transactions, bindings }: LoadedConfig['config']['limits']) {
  return {
    blocks256: 2 * bindings + calls + transactions,
    blocks1k: (bindings >> 1) + 2 * calls + transactions,
    blocks4k: calls + (transactions >> 2) + 1024,
    blocks64k: BLOCKS_64K,
  };
}

/**
 * @param secret 32 hex digits.
 * @param bank the first bank, whose size decides how much room banks get.
 */
export function coreSettings(
  { config, endpoints }: LoadedConfig,
  secret: string,
  bank: SharedArrayBuffer,
): CoreInit {
  const { limits, registration, timers, calls, media, budgets, overload } = config;
  return {
    secret: Buffer.from(secret, 'hex'),
    listeners: listenerTable(config, endpoints).listeners,
    callsMax: limits.calls,
    transactionsMax: limits.transactions,
    branchesMax: 2 * limits.transactions,
    bindingsMax: limits.bindings,
    aorsMax: limits.bindings,
    pendingMax: limits.pendingMedia,
    ...blocks(limits),
    bankBytes: bankBytes(bank),
    forkMax: calls.forkMax,
    anchor: media.anchor,
    t1Ms: timers.t1Ms,
    t2Ms: timers.t2Ms,
    t4Ms: timers.t4Ms,
    timerCMs: timers.timerCS * 1000,
    expiresMinS: registration.expiresMinS,
    expiresMaxS: registration.expiresMaxS,
    expiresDefaultS: registration.expiresDefaultS,
    nonceTtlS: registration.nonceTtlS,
    mediaWaitMs: media.setupTimeoutMs + MEDIA_GRACE_MS,
    contactsPerAorMax: registration.contactsMax,
    callEvents: callEventsMask(config),
    retryAfterS: calls.retryAfterS,
    callDurationMaxS: calls.durationMaxS,
    budgetQueueUs: budgets.queueUs,
    budgetCoreUs: budgets.coreUs,
    budgetMediaUs: budgets.mediaUs,
    budgetSetupUs: budgets.setupUs,
    budgetSetupMediaUs: budgets.setupMediaUs,
    overloadTargetUs: overload.targetUs,
    sourcePerS: overload.sourcePerS,
    sourceBurst: overload.sourceBurst,
    userPerS: overload.userPerS,
    userBurst: overload.userBurst,
    bucketBits: Math.ceil(Math.log2(overload.sources)),
    emergency: overload.emergency,
    role: beginsAsStandby(config) ? ROLE_STANDBY : ROLE_ACTIVE,
    journal: config.store.file === undefined ? 0 : 1,
    mirrorWaitMs: config.availability.mirrorWaitMs,
  };
}
