/**
 * Bodies on their way through the media service. A message whose SDP has to be rewritten is put aside as
 * **pending**; when the answer comes it is taken up again from the start, this time with its new body.
 * Repetitions of a message that is pending are absorbed.
 */
import {
  C_MEDIA_FAILED,
  C_MEDIA_REQUESTS,
  C_PENDING,
  C_RETRANSMITS_IN,
  EF_MEDIA,
  F_ADDRESS,
  F_ARG0,
  F_ARG1,
  F_ARG2,
  F_ARG3,
  F_ARG4,
  F_ARG5,
  F_FLAGS,
  F_LENGTH,
  F_PORT,
  FRAME_HEADER_BYTES,
  I_MEDIA_WAIT_MS,
  I_PENDING_MAX,
  MEDIA_OP_SDP,
  VARIANT_WEBRTC,
} from '../abi';
import { initU32 } from '../config';
import { count, gauge } from '../counters';
import { frameBegin, frameEnd, nowMs, nowUs, rxFrame, setRxFrame } from '../effects';
import { brShift, callHash, transactionKey } from '../identity';
import { copy16 } from '../mem/copy';
import { indexHead, indexInsert, indexNew, indexRemove } from '../mem/index';
import { blockAlloc, blockFree } from '../mem/pool';
import {
  REC_FIELDS,
  recGen,
  recSlot,
  tableAt,
  tableGet,
  tableGive,
  tableNew,
  tableTake,
  tableUsed,
} from '../mem/table';
import { timerCancel, timerInit, timerSet } from '../mem/wheel';
import { handleMessage, handleMediaFailure } from '../proxy/message';
import { H_CONTENT_TYPE } from '../sip/header';
import {
  bodyLen,
  bodyPtr,
  cseqMethodId,
  cseqNumber,
  hdrFirst,
  hdrVal,
  hdrValLen,
  isRequest,
  statusCode,
} from '../sip/message';
import { variantOf } from '../target';
import { bytes } from '../text';
import { TIMER_PENDING } from '../timers';
import { inviteMediaReply } from '../transaction/invite';
import { transactionTable } from '../transaction/tables';
import { callGet } from './call';
import { latencyMedia } from './latency';

const PN_KEY: u32 = REC_FIELDS; // u64
const PN_TIMER: u32 = PN_KEY + 8; // timer node
const PN_STARTED: u32 = PN_TIMER + 24; // f64 µs
const PN_LINK: u32 = PN_STARTED + 8; // u32
const PN_BLOCK: u32 = PN_LINK + 4; // u32: copy of the event frame; 0 for an INVITE, which its context keeps
const PN_TX_SLOT: u32 = PN_LINK + 8; // u32
const PN_TX_GEN: u32 = PN_LINK + 12; // u32
const PN_CALL_SLOT: u32 = PN_LINK + 16; // u32
const PN_CALL_GEN: u32 = PN_LINK + 20; // u32
const PN_VARIANT: u32 = PN_LINK + 24; // u32: VARIANT_* wanted
const PN_BYTES: u32 = PN_LINK + 28;

// 'applicat' and 'tion/sdp' as they lie in memory
const APPLICAT: u64 = 0x746163696c707061;
const TION_SDP: u64 = 0x7064732f6e6f6974;

let pendings: usize = 0;
let byKey: usize = 0;

/** The current message has been through the media service: `mediaBody` replaces its body. */
export let mediaDone: bool = false;
export let mediaBody: usize = 0;
export let mediaBodyLen: u32 = 0;

export function pendingInit(): void {
  pendings = tableNew(initU32(I_PENDING_MAX), PN_BYTES);
  byKey = indexNew(initU32(I_PENDING_MAX));
  mediaDone = false;
}

/** Whether the current message carries SDP. */
export function hasSdp(): bool {
  if (bodyLen == 0) return false;
  const i = hdrFirst(H_CONTENT_TYPE);
  if (i < 0 || hdrValLen(i) < 15) return false;
  const p = hdrVal(i);
  const lower: u64 = 0x2020202020202020;
  return (
    (load<u64>(p) | lower) == APPLICAT &&
    (load<u64>(p + 7) | lower) == TION_SDP &&
    (hdrValLen(i) == 15 || isBoundary(load<u8>(p + 15)))
  );
}

function isBoundary(c: u32): bool {
  return c == 59 || c == 32 || c == 9;
}

function messageKey(): u64 {
  const what = ((cseqNumber as u64) << 24) | ((cseqMethodId as u64) << 16) | (isRequest ? 0 : statusCode);
  return transactionKey() ^ (what * 0x9e3779b97f4a7c15) ^ callHash;
}

/** Sends the question. `target` is where the leg's signalling comes from. */
function ask(
  pending: usize,
  call: usize,
  leg: u32,
  targetLeg: u32,
  mask: u32,
  transport: u32,
  body: usize,
  len: u32,
): void {
  const frame = frameBegin(EF_MEDIA);
  store<u8>(frame + F_FLAGS, MEDIA_OP_SDP);
  store<u32>(frame + F_ARG0, (recSlot(pending) & 0xfffff) | (recGen(pending) << 20));
  store<u32>(frame + F_ARG1, recSlot(call));
  store<u32>(frame + F_ARG2, recGen(call));
  store<u32>(frame + F_ARG3, leg | (targetLeg << 8) | (variantOf(transport) << 16) | (mask << 24));
  store<u32>(frame + F_ARG4, cseqMethodId | (isRequest ? 0 : statusCode << 16));
  // The number by which the party knows it that began the transaction.
  store<u32>(frame + F_ARG5, isRequest ? cseqNumber : cseqNumber - brShift);
  store<u16>(frame + F_PORT, load<u16>(rxFrame + F_PORT));
  copy16(frame + F_ADDRESS, rxFrame + F_ADDRESS);
  bytes(body, len);
  frameEnd();
  count(C_MEDIA_REQUESTS);
}

function pendingNew(call: usize): usize {
  const pending = tableTake(pendings);
  if (pending == 0) return 0;
  timerInit(pending + PN_TIMER, TIMER_PENDING);
  timerSet(pending + PN_TIMER, nowMs + initU32(I_MEDIA_WAIT_MS));
  store<f64>(pending + PN_STARTED, nowUs);
  store<u32>(pending + PN_CALL_SLOT, recSlot(call));
  store<u32>(pending + PN_CALL_GEN, recGen(call));
  gauge(C_PENDING, tableUsed(pendings));
  return pending;
}

function pendingFree(pending: usize): void {
  timerCancel(pending + PN_TIMER);
  if (load<u32>(pending + PN_BLOCK) != 0) {
    indexRemove(byKey, load<u64>(pending + PN_KEY) as u32, pending, PN_LINK);
    blockFree(load<u32>(pending + PN_BLOCK));
  }
  tableGive(pendings, pending);
  gauge(C_PENDING, tableUsed(pendings));
}

/** Asks for the bodies of the offer in an initial INVITE (the current message); false when the table is full. */
export function mediaForInvite(tx: usize, call: usize, mask: u32, transport: u32): bool {
  const pending = pendingNew(call);
  if (pending == 0) return false;
  store<u32>(pending + PN_TX_SLOT, recSlot(tx));
  store<u32>(pending + PN_TX_GEN, recGen(tx));
  ask(pending, call, 0, 255, mask, transport, bodyPtr, bodyLen);
  return true;
}

/**
 * Puts the current message aside until its body has been rewritten for `targetLeg` (whose variant is `variant`).
 * False when that is impossible (a table is full).
 */
export function mediaForMessage(call: usize, leg: u32, transport: u32, targetLeg: u32, variant: u32): bool {
  const key = messageKey();
  let known = indexHead(byKey, key as u32);
  while (known != 0 && load<u64>(known + PN_KEY) != key) known = load<u32>(known + PN_LINK);
  if (known != 0) {
    count(C_RETRANSMITS_IN);
    return true;
  }
  const size = FRAME_HEADER_BYTES + load<u32>(rxFrame + F_LENGTH);
  const block = blockAlloc(size);
  if (block == 0) return false;
  const pending = pendingNew(call);
  if (pending == 0) {
    blockFree(block);
    return false;
  }
  memory.copy(block, rxFrame, size);
  store<u32>(pending + PN_BLOCK, block as u32);
  store<u32>(pending + PN_VARIANT, variant);
  store<u64>(pending + PN_KEY, key);
  indexInsert(byKey, key as u32, pending, PN_LINK);
  ask(pending, call, leg, targetLeg, variant, transport, bodyPtr, bodyLen);
  return true;
}

/** EV_MEDIA_REPLY. */
export function mediaReply(frame: usize): void {
  const id = load<u32>(frame + F_ARG0);
  const pending = pendingAt(id & 0xfffff, id >>> 20);
  if (pending == 0) return;
  const plainLen = load<u32>(frame + F_ARG2);
  const webrtcLen = load<u32>(frame + F_ARG3);
  if (plainLen + webrtcLen > load<u32>(frame + F_LENGTH)) return;
  const call = callGet(load<u32>(pending + PN_CALL_SLOT), load<u32>(pending + PN_CALL_GEN));
  if (call != 0) {
    const took = (nowUs - load<f64>(pending + PN_STARTED)) as f32;
    latencyMedia(call, took);
  }
  const plain = frame + FRAME_HEADER_BYTES;
  settle(pending, load<u32>(frame + F_ARG1), plain, plainLen, plain + plainLen, webrtcLen);
}

/** The media service has not answered in time. */
export function mediaLate(node: usize): void {
  settle(node - PN_TIMER, 503, 0, 0, 0, 0);
}

/** The id that went out is 20 bits of slot and 12 of generation. */
function pendingAt(slot: u32, genBits: u32): usize {
  const pending = tableAt(pendings, slot);
  return pending != 0 && (recGen(pending) & 0xfff) == genBits ? pending : 0;
}

function settle(
  pending: usize,
  status: u32,
  plain: usize,
  plainLen: u32,
  webrtc: usize,
  webrtcLen: u32,
): void {
  if (status != 200) count(C_MEDIA_FAILED);
  const block: usize = load<u32>(pending + PN_BLOCK);
  if (block == 0) {
    const tx = tableGet(transactionTable(), load<u32>(pending + PN_TX_SLOT), load<u32>(pending + PN_TX_GEN));
    pendingFree(pending);
    if (tx != 0) inviteMediaReply(tx, status, plain, plainLen, webrtc, webrtcLen);
    return;
  }
  const webrtcWanted = load<u32>(pending + PN_VARIANT) == VARIANT_WEBRTC;
  store<u32>(pending + PN_BLOCK, 0); // keeps the block beyond the record
  indexRemove(byKey, load<u64>(pending + PN_KEY) as u32, pending, PN_LINK);
  pendingFree(pending);
  const resume = rxFrame;
  setRxFrame(block);
  mediaBody = webrtcWanted ? webrtc : plain;
  mediaBodyLen = webrtcWanted ? webrtcLen : plainLen;
  mediaDone = true;
  if (status == 200 && mediaBodyLen > 0) handleMessage(block);
  else handleMediaFailure(block, status == 200 ? 500 : status);
  mediaDone = false;
  setRxFrame(resume);
  blockFree(block);
}
