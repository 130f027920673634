/**
 * What the switch can recognise as its own later, without having kept anything: tags, transaction keys and
 * signed cookies. All come from the secret that the nodes of a cluster share. A cookie's MAC is SipHash-2-4 and also
 * covers the Call-ID, so that a cookie from one call is worth nothing in another; keys of tables are SipHash-1-3 under
 * a key derived from the secret, so that nothing that is seen of them says anything about the MACs'.
 *
 * Branch cookie (behind `z9hG4bK-s.` in our Via): which transaction or call a response belongs to, and where
 * the request came from, so that a response can go back even when nothing is known of its transaction.
 * Dialog cookie (parameter `ck` of our Record-Route): call, and both legs.
 */
import { I_LISTENERS, I_LISTENER_0, I_SECRET, LISTENER_BYTES } from './abi';
import { initPtr, initU32 } from './config';
import { b64urlDecode, b64urlEncode } from './crypto/base64';
import { siphash13, siphash24 } from './crypto/siphash';
import { clear, copy16, copyShort } from './mem/copy';
import { H_CONTACT } from './sip/header';
import { B_TARGET, bindingGet } from './registrar/bindings';
import {
  callIdLen,
  callIdPtr,
  cseqNumber,
  hdrFirst,
  hdrVal,
  hdrValLen,
  fromTagLen,
  fromTagPtr,
  toTagLen,
  toTagPtr,
  uriLen,
  uriPtr,
  viaBranchLen,
  viaBranchPtr,
  viaHostLen,
  viaHostPtr,
  viaPort,
} from './sip/message';
import { G_ADDRESS, G_FLAGS, G_FLOW, G_PORT, G_TRANSPORT, GF_ALIASED, isMapped, targetCopy } from './target';
import { cursor, text, writeAt } from './text';

// --- branch kinds -------------------------------------------------------------------------------
/** Forwarded from the message alone. a, b: call slot and generation, or NO_CALL. */
export const BRANCH_STATELESS: u32 = 1;
/** Of an INVITE context. a, b: transaction slot and generation; index: branch. */
export const BRANCH_TRANSACTION: u32 = 2;
/** Of a request that the switch sent itself. a, b: call slot and generation; index: leg. */
export const BRANCH_OWN: u32 = 3;
export const NO_CALL: u32 = 0xffffffff;

// --- branch cookie ------------------------------------------------------------------------------
const BC_KIND: u32 = 0;
const BC_TRANSPORT: u32 = 1; // u8, bit 7: IPv6
const BC_PORT: u32 = 2;
const BC_A: u32 = 4;
const BC_B: u32 = 8;
const BC_INDEX: u32 = 12; // u8, and above it the shift of CSeq
const BC_HASH: u32 = 16;
const BC_ADDRESS: u32 = 24; // flow (streams), or 4 or 16 bytes
const MAC_BYTES: u32 = 8;
const MARK_LEN: u32 = 10; // z9hG4bK-s.

// --- dialog cookie ------------------------------------------------------------------------------
const DC_VERSION: u32 = 0;
const DC_LEG_B: u32 = 1;
const DC_SLOT: u32 = 4;
const DC_GEN: u32 = 8;
const DC_FROM_TAG: u32 = 12;
const DC_LEGS: u32 = 16; // two legs of LEG_BYTES, then 16 bytes for each that is IPv6
const LEG_BYTES: u32 = 12;
const DIALOG_VERSION: u32 = 1;
const LEG_V4: u32 = 0;
const LEG_V6: u32 = 1;
const LEG_FLOW: u32 = 2;
const LEG_BINDING: u32 = 3;
const LEG_ALIASED: u32 = 0x80;

const packed: usize = memory.data(128, 16);
const opened: usize = memory.data(128, 16); // the last branch
const decoded: usize = memory.data(128, 16); // the last dialog cookie
const macInput: usize = memory.data(160, 16);

/** Hash of the current message's Call-ID. */
export let callHash: u64 = 0;
// of the current message, once they have been asked for
let fromHash: u64 = 0;
let toHash: u64 = 0;
let txKey: u64 = 0;
let known: u32 = 0;
const KNOWN_FROM: u32 = 1;
const KNOWN_TO: u32 = 2;
const KNOWN_TX: u32 = 4;

const hashKey: usize = memory.data(16, 16);
/** Of our own addresses: nodes that share the secret are told apart by it, those that can take each other's place are not. */
let placeHash: u64 = 0;
const LABEL: usize = memory.data<u8>([0, 116, 97, 98, 108, 101, 115, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // NUL, tables

/** Derives the key of hashes; once, before anything else here. */
export function identityInit(): void {
  store<u64>(hashKey, siphash24(key(), LABEL, 7));
  store<u64>(hashKey, siphash24(key(), LABEL, 8), 8);
  const listeners = initPtr() + I_LISTENER_0;
  placeHash = siphash13(hashKey, listeners, initU32(I_LISTENERS) * LISTENER_BYTES);
}

/** 64 bits that only who has the secret can make, against damage and strangers on the link to the standby. */
export function keyedHash(ptr: usize, len: u32): u64 {
  return siphash13(hashKey, ptr, len);
}

function key(): usize {
  return initPtr() + I_SECRET;
}

/** Once for each message, before anything else here. */
export function identityPrepare(): void {
  callHash = siphash13(hashKey, callIdPtr, callIdLen);
  known = 0;
}

function hashOf(ptr: usize, len: u32): u64 {
  return len == 0 ? 0 : siphash13(hashKey, ptr, len);
}

function fromTagHash(): u64 {
  if ((known & KNOWN_FROM) == 0) {
    fromHash = hashOf(fromTagPtr, fromTagLen);
    known |= KNOWN_FROM;
  }
  return fromHash;
}

function toTagHash(): u64 {
  if ((known & KNOWN_TO) == 0) {
    toHash = hashOf(toTagPtr, toTagLen);
    known |= KNOWN_TO;
  }
  return toHash;
}

/** To tag for answers of the switch: the same for a request and its repetitions. */
export function localTag(): u64 {
  return (callHash ^ rotl<u64>(fromTagHash(), 17)) + 1;
}

/** 32 bits of the From tag, for telling the sides of a dialog apart. */
export function senderTag(): u32 {
  return fromTagHash() as u32;
}

/**
 * Key of the server transaction that the current request belongs to (RFC 3261 17.2.3): the same for an
 * INVITE, its repetitions, its CANCEL and its hop-by-hop ACK. Without a branch (RFC 2543) the other
 * fields decide.
 */
export function transactionKey(): u64 {
  if ((known & KNOWN_TX) != 0) return txKey;
  let h = callHash;
  if (viaBranchLen > 7) h = h * 31 + hashOf(viaBranchPtr, viaBranchLen);
  else h = (h * 31 + fromTagHash()) * 31 + cseqNumber;
  txKey = (h * 31 + hashOf(viaHostPtr, viaHostLen)) * 31 + viaPort;
  known |= KNOWN_TX;
  return txKey;
}

/** What a loop through this place would leave unchanged (RFC 5393 4.2.1): request-URI, Call-ID, tags, CSeq. */
export function loopHash(): u64 {
  let h = (placeHash + callHash) * 31 + hashOf(uriPtr, uriLen);
  h = h * 31 + fromTagHash();
  h = h * 31 + toTagHash();
  return h * 31 + cseqNumber;
}

/**
 * Tells forwarded copies of different requests apart (RFC 3261 16.11): from the received branch and the rest, so that
 * the CANCEL and the hop-by-hop ACK of a request get its branch.
 */
export function statelessHash(): u64 {
  return (loopHash() & 0xffffffff) | (transactionKey() << 32);
}

/**
 * The same for a request and its repetitions only: credentials that were seen are good for nothing else. The digest covers
 * method and request-URI; what a REGISTER asks for is its Contact.
 */
export function requestHash(): u64 {
  const h = transactionKey() * 31 + loopHash();
  const i = hdrFirst(H_CONTACT);
  return i < 0 ? h : h * 31 + hashOf(hdrVal(i), hdrValLen(i));
}

function mac(at: usize, len: u32): u64 {
  copyShort(macInput, at, len);
  store<u64>(macInput + len, callHash);
  return siphash24(key(), macInput, len + 8);
}

function seal(at: usize, len: u32): u32 {
  store<u64>(at + len, mac(at, len));
  return len + MAC_BYTES;
}

/** Writes `z9hG4bK-s.<cookie>`. `back`: target that answers go to. */
export function writeBranch(kind: u32, back: usize, a: u32, b: u32, index: u32, hash: u64): void {
  const transport = load<u8>(back + G_TRANSPORT) as u32;
  const stream = transport != 0;
  const v6 = !stream && !isMapped(back + G_ADDRESS);
  store<u8>(packed, kind, BC_KIND);
  store<u8>(packed, transport | (v6 ? 0x80 : 0), BC_TRANSPORT);
  store<u16>(packed, load<u16>(back + G_PORT), BC_PORT);
  store<u32>(packed, a, BC_A);
  store<u32>(packed, b, BC_B);
  store<u32>(packed, index, BC_INDEX);
  store<u64>(packed, hash, BC_HASH);
  let len = BC_ADDRESS;
  if (v6) {
    copy16(packed + BC_ADDRESS, back + G_ADDRESS);
    len += 16;
  } else {
    store<u32>(packed, stream ? load<u32>(back + G_FLOW) : load<u32>(back + G_ADDRESS + 12), BC_ADDRESS);
    len += 4;
  }
  text('z9hG4bK-s.');
  writeAt(cursor + b64urlEncode(cursor, packed, seal(packed, len)));
}

// what the last `readBranch` found
export let brKind: u32 = 0;
export let brA: u32 = 0;
export let brB: u32 = 0;
export let brIndex: u32 = 0;
/** How far the CSeq of the request was shifted (call/cseq.ts). */
export let brShift: u32 = 0;
export let brHash: u64 = 0;
/** Target that the answer goes to. */
export const brBack: usize = memory.data(32, 16);

/** Whether a branch looks like one of ours (cheap; `readBranch` proves it). */
export function isOurBranch(ptr: usize, len: u32): bool {
  return len > MARK_LEN && load<u64>(ptr) == 0x2d4b62344768397a && load<u16>(ptr + 8) == 0x2e73;
}

/** Decodes and verifies a branch of ours into br*; false when it is not, or was changed, or is another call's. */
export function readBranch(ptr: usize, len: u32): bool {
  if (!isOurBranch(ptr, len) || len > 100) return false;
  const n = b64urlDecode(opened, ptr + MARK_LEN, len - MARK_LEN);
  if (n < ((BC_ADDRESS + 4 + MAC_BYTES) as i32)) return false;
  const body = (n as u32) - MAC_BYTES;
  const v6 = (load<u8>(opened, BC_TRANSPORT) & 0x80) != 0;
  if (body != BC_ADDRESS + (v6 ? 16 : 4)) return false;
  if (load<u64>(opened + body) != mac(opened, body)) return false;
  brKind = load<u8>(opened, BC_KIND);
  brA = load<u32>(opened, BC_A);
  brB = load<u32>(opened, BC_B);
  brIndex = load<u8>(opened, BC_INDEX);
  brShift = load<u32>(opened, BC_INDEX) >>> 8;
  brHash = load<u64>(opened, BC_HASH);
  const transport = (load<u8>(opened, BC_TRANSPORT) & 0x7f) as u32;
  clear(brBack, 32);
  store<u8>(brBack, transport, G_TRANSPORT);
  store<u16>(brBack, load<u16>(opened, BC_PORT), G_PORT);
  if (v6) copy16(brBack + G_ADDRESS, opened + BC_ADDRESS);
  else {
    store<u32>(brBack + G_ADDRESS, 0xffff0000, 8);
    if (transport == 0) store<u32>(brBack + G_ADDRESS, load<u32>(opened, BC_ADDRESS), 12);
    else store<u32>(brBack, load<u32>(opened, BC_ADDRESS), G_FLOW);
  }
  return true;
}

function packLeg(at: usize, target: usize, bindingSlot: u32, bindingGen: u32): bool {
  const transport = load<u8>(target + G_TRANSPORT) as u32;
  const v6 = !isMapped(target + G_ADDRESS);
  let kind = v6 ? LEG_V6 : LEG_V4;
  let word1 = load<u32>(target + G_ADDRESS + 12);
  let word2: u32 = 0;
  if (transport != 0) {
    if (bindingGen != 0) {
      kind = LEG_BINDING;
      word1 = bindingSlot;
      word2 = bindingGen;
    } else {
      kind = LEG_FLOW;
      word2 = word1;
      word1 = load<u32>(target + G_FLOW);
    }
  }
  const aliased = (load<u8>(target + G_FLAGS) & GF_ALIASED) != 0 ? LEG_ALIASED : 0;
  store<u8>(at, kind | aliased);
  store<u8>(at, transport, 1);
  store<u16>(at, load<u16>(target + G_PORT), 2);
  store<u32>(at, word1, 4);
  store<u32>(at, word2, 8);
  return kind == LEG_V6;
}

/** Writes the cookie of a dialog. Legs: target, and slot and generation of the binding behind it (generation 0: none). */
export function writeDialogCookie(
  slot: u32,
  gen: u32,
  legB: u32,
  fromTag: u32,
  a: usize,
  aBinding: u32,
  aBindingGen: u32,
  b: usize,
  bBinding: u32,
  bBindingGen: u32,
): void {
  store<u32>(packed, DIALOG_VERSION | (legB << 8));
  store<u32>(packed, slot, DC_SLOT);
  store<u32>(packed, gen, DC_GEN);
  store<u32>(packed, fromTag, DC_FROM_TAG);
  let len = DC_LEGS + 2 * LEG_BYTES;
  if (packLeg(packed + DC_LEGS, a, aBinding, aBindingGen)) {
    copy16(packed + len, a + G_ADDRESS);
    len += 16;
  }
  if (packLeg(packed + DC_LEGS + LEG_BYTES, b, bBinding, bBindingGen)) {
    copy16(packed + len, b + G_ADDRESS);
    len += 16;
  }
  writeAt(cursor + b64urlEncode(cursor, packed, seal(packed, len)));
}

// what the last `readDialogCookie` found
export let dcSlot: u32 = 0;
export let dcGen: u32 = 0;
export let dcFromTag: u32 = 0;
export let dcLegB: u32 = 0;

/** Decodes and verifies a dialog cookie; false when it is not ours, was changed, or is another call's. */
export function readDialogCookie(ptr: usize, len: u32): bool {
  if (len < 64 || len > 128) return false;
  const n = b64urlDecode(decoded, ptr, len);
  if (n < ((DC_LEGS + 2 * LEG_BYTES + MAC_BYTES) as i32)) return false;
  const body = (n as u32) - MAC_BYTES;
  if (load<u8>(decoded, DC_VERSION) != DIALOG_VERSION) return false;
  if (load<u64>(decoded + body) != mac(decoded, body)) return false;
  dcLegB = load<u8>(decoded, DC_LEG_B);
  dcSlot = load<u32>(decoded, DC_SLOT);
  dcGen = load<u32>(decoded, DC_GEN);
  dcFromTag = load<u32>(decoded, DC_FROM_TAG);
  return true;
}

/**
 * Target of a leg of the cookie just read (0 the caller's, 1 the callee's) into `target`: the binding's present
 * one if the leg is known by its binding. False when the binding is gone.
 */
export function cookieLeg(leg: u32, target: usize): bool {
  const at = decoded + DC_LEGS + leg * LEG_BYTES;
  const kind = (load<u8>(at) & 0x7f) as u32;
  clear(target, 32);
  if (kind == LEG_BINDING) {
    const binding = bindingGet(load<u32>(at, 4), load<u32>(at, 8));
    if (binding == 0) return false;
    targetCopy(target, binding + B_TARGET);
    store<u8>(target, load<u8>(target + G_FLAGS) | GF_ALIASED, G_FLAGS);
    return true;
  }
  store<u8>(target, load<u8>(at, 1), G_TRANSPORT);
  store<u8>(target, (load<u8>(at) & LEG_ALIASED) != 0 ? GF_ALIASED : 0, G_FLAGS);
  store<u16>(target, load<u16>(at, 2), G_PORT);
  store<u32>(target + G_ADDRESS, 0xffff0000, 8);
  if (kind == LEG_V6) {
    // The first IPv6 leg's address comes first behind the legs.
    const first = leg == 0 || (load<u8>(decoded + DC_LEGS) & 0x7f) != LEG_V6;
    copy16(target + G_ADDRESS, decoded + DC_LEGS + 2 * LEG_BYTES + (first ? 0 : 16));
  } else if (kind == LEG_FLOW) {
    store<u32>(target, load<u32>(at, 4), G_FLOW);
    store<u32>(target + G_ADDRESS, load<u32>(at, 8), 12);
    store<u8>(target, load<u8>(target + G_FLAGS) | GF_ALIASED, G_FLAGS);
  } else {
    store<u32>(target + G_ADDRESS, load<u32>(at, 4), 12);
  }
  return true;
}

/** Like `identityPrepare`, for a call that is not the current message's. */
export function identityFor(callId: usize, len: u32): void {
  callHash = siphash13(hashKey, callId, len);
  known = 0;
}
