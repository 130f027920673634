/**
 * Call and binding records as the core writes them into effects (CR_* and BR_* in ../assembly/abi.ts).
 * Pure: works in Node and in a browser.
 */
import * as abi from '../assembly/abi.ts';
import { ADDRESS_BYTES } from './address.ts';
import { decodeText, FrameError } from './frames.ts';

/** One call, as the core sees it. Times are µs since the Unix epoch, 0 = has not happened. */
export interface CallRecord {
  slot: number;
  generation: number;
  /** CALL_STATE_*. */
  state: number;
  /** ENDED_BY_*. */
  endedBy: number;
  startedUs: number;
  ringingUs: number;
  answeredUs: number;
  endedUs: number;
  /** TRANSPORT_* of the caller. */
  callerTransport: number;
  /** TRANSPORT_* of the callee that answered or was tried last. */
  calleeTransport: number;
  /** Final SIP status, 200 = answered, 0 = none yet. */
  cause: number;
  /** Media goes through the switch. */
  anchored: boolean;
  /** Media set-up of the last offer or answer, µs, as the core waited for it. */
  mediaLastUs: number;
  /** The longest of the call. */
  mediaMaxUs: number;
  /** INVITE in to first INVITE out, µs. */
  setupUs: number;
  /** How long the last message of the call waited in socket and ring, µs, and the longest. */
  queueLastUs: number;
  queueMaxUs: number;
  /** What the core took for one message before, as the mean of its batch, µs, and the longest. */
  coreLastUs: number;
  coreMaxUs: number;
  /** Measurements above the budget of their stage; 255 = that many or more. */
  breaches: { queue: number; core: number; media: number; setup: number };
  callId: string;
  /** URI. */
  from: string;
  /** URI. */
  to: string;
  /** Name of the trunk, '' = none. */
  trunk: string;
}

/** One binding of an address of record (RFC 3261 10). */
export interface BindingRecord {
  /** µs since the Unix epoch. */
  expiresUs: number;
  /** TRANSPORT_*. */
  transport: number;
  flags: number;
  /** 0 to 1. */
  q: number;
  port: number;
  /** RFC 5626 reg-id, 0 = none. */
  regId: number;
  flow: number;
  /** 16 bytes. */
  address: Uint8Array;
  user: string;
  /** Contact URI. */
  contact: string;
  /** RFC 5626 instance-id, '' = none. */
  instanceId: string;
  /** RFC 3327 Path, '' = none. */
  path: string;
  userAgent: string;
}

/** Reads `count` strings, each led by a u16 length, from `offset`. */
function readStrings(bytes: Uint8Array, offset: number, count: number): string[] {
  const strings: string[] = [];
  let at = offset;
  for (let i = 0; i < count; i++) {
    if (at + 2 > bytes.length) throw new FrameError(`record ends before string ${i} of ${count}`);
    const length = bytes[at]! | (bytes[at + 1]! << 8);
    if (at + 2 + length > bytes.length)
      throw new FrameError(`string ${i} of ${length} bytes leaves its record`);
    strings.push(decodeText(bytes.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  return strings;
}

/**
 * Decodes a call record.
 * @throws FrameError when the record is cut short.
 */
export function decodeCall(bytes: Uint8Array): CallRecord {
  if (bytes.length < abi.CR_STRINGS) throw new FrameError(`call record of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [callId = '', from = '', to = '', trunk = ''] = readStrings(bytes, abi.CR_STRINGS, 4);
  return {
    slot: view.getUint32(abi.CR_SLOT, true),
    generation: view.getUint32(abi.CR_GENERATION, true),
    state: view.getUint8(abi.CR_STATE),
    endedBy: view.getUint8(abi.CR_ENDED_BY),
    startedUs: view.getFloat64(abi.CR_STARTED, true),
    ringingUs: view.getFloat64(abi.CR_RINGING, true),
    answeredUs: view.getFloat64(abi.CR_ANSWERED, true),
    endedUs: view.getFloat64(abi.CR_ENDED, true),
    callerTransport: view.getUint8(abi.CR_CALLER_TRANSPORT),
    calleeTransport: view.getUint8(abi.CR_CALLEE_TRANSPORT),
    cause: view.getUint16(abi.CR_CAUSE, true),
    anchored: (view.getUint16(abi.CR_FLAGS, true) & abi.CRF_ANCHORED) !== 0,
    mediaLastUs: view.getFloat32(abi.CR_MEDIA_LAST_US, true),
    mediaMaxUs: view.getFloat32(abi.CR_MEDIA_MAX_US, true),
    setupUs: view.getFloat32(abi.CR_SETUP_US, true),
    queueLastUs: view.getFloat32(abi.CR_QUEUE_LAST_US, true),
    queueMaxUs: view.getFloat32(abi.CR_QUEUE_MAX_US, true),
    coreLastUs: view.getFloat32(abi.CR_CORE_LAST_US, true),
    coreMaxUs: view.getFloat32(abi.CR_CORE_MAX_US, true),
    breaches: {
      queue: view.getUint8(abi.CR_BREACHES),
      core: view.getUint8(abi.CR_BREACHES + 1),
      media: view.getUint8(abi.CR_BREACHES + 2),
      setup: view.getUint8(abi.CR_BREACHES + 3),
    },
    callId,
    from,
    to,
    trunk,
  };
}

/**
 * Decodes a binding record.
 * @throws FrameError when the record is cut short.
 */
export function decodeBinding(bytes: Uint8Array): BindingRecord {
  if (bytes.length < abi.BR_STRINGS) throw new FrameError(`binding record of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [user = '', contact = '', instanceId = '', path = '', userAgent = ''] = readStrings(
    bytes,
    abi.BR_STRINGS,
    5,
  );
  return {
    expiresUs: view.getFloat64(abi.BR_EXPIRES, true),
    transport: view.getUint8(abi.BR_TRANSPORT),
    flags: view.getUint8(abi.BR_FLAGS),
    q: view.getUint16(abi.BR_Q, true) / 1000,
    port: view.getUint16(abi.BR_PORT, true),
    regId: view.getUint16(abi.BR_REG_ID, true),
    flow: view.getUint32(abi.BR_FLOW, true),
    address: bytes.slice(abi.BR_ADDRESS, abi.BR_ADDRESS + ADDRESS_BYTES),
    user,
    contact,
    instanceId,
    path,
    userAgent,
  };
}

/**
 * Splits the payload of EF_QUERY_REPLY into its records (each led by its u32 length) and decodes them.
 * @throws FrameError when a record leaves the payload.
 */
export function decodeRecords<T>(payload: Uint8Array, count: number, decode: (bytes: Uint8Array) => T): T[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const records: T[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > payload.length) throw new FrameError(`query reply ends before record ${i} of ${count}`);
    const length = view.getUint32(at, true);
    if (at + 4 + length > payload.length)
      throw new FrameError(`record ${i} of ${length} bytes leaves its reply`);
    records.push(decode(payload.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return records;
}
