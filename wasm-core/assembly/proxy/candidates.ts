/**
 * Where a request may go (RFC 3261 16.5): the bindings of a user, or the gateways of the trunk that the
 * number's prefix leads to. Candidates stand in groups that are tried one after the other, lowest first;
 * those of one group at the same time.
 */
import { I_FORK_MAX } from '../abi';
import { initU32 } from '../config';
import {
  B_Q,
  B_TARGET,
  aorFind,
  bindingFirst,
  bindingNext,
  bindingPathLen,
  bindingPathPtr,
  bindingUriLen,
  bindingUriPtr,
} from '../registrar/bindings';
import {
  gatewayAddress,
  gatewayPort,
  gatewayPriority,
  gatewayTransport,
  routeFind,
  rtNumberLen,
  rtNumberPtr,
  rtPrependLen,
  rtPrependPtr,
  rtStrip,
  rtTrunk,
  trunkGatewayCount,
  userFind,
} from '../routing/bank';
import { clear, copy16 } from '../mem/copy';
import { recGen, recSlot } from '../mem/table';
import { uUserLen, uUserPtr, unescapeInto } from '../sip/uri';
import { G_ADDRESS, G_PORT, G_TRANSPORT, targetCopy } from '../target';
import { address, byte, bytes, cursor, decimal, text, writeAt } from '../text';

export const CANDIDATES_MAX: u32 = 16;
export const CD_BYTES: u32 = 64;
export const CD_GROUP: u32 = 0; // u32
export const CD_BINDING: u32 = 4; // u32 slot, u32 generation (0: none)
export const CD_URI: u32 = 12; // u32 address, u32 length
export const CD_PATH: u32 = 20; // u32 address, u32 length
export const CD_TARGET: u32 = 32; // target

/** Longest user part or number. */
const USER_BYTES_MAX: u32 = 128;
const GATEWAY_URI_BYTES: u32 = 256;

const candidates: usize = memory.data(1024, 16);
const userText: usize = memory.data(256, 16);
const gatewayUris: usize = memory.data(4096 + 64, 16);

export let candidateCount: u32 = 0;
/** Trunk of the candidates, or -1 for a user's bindings. */
export let candidateTrunk: i32 = -1;

export function candidateAt(i: u32): usize {
  return candidates + i * CD_BYTES;
}

/**
 * Finds the candidates for the request-URI just parsed (u*). Returns 200, 404 nobody has that number,
 * 480 the user is not registered. `trunksAllowed`: whether the caller may use the routes.
 */
export function candidatesFind(trunksAllowed: bool): u32 {
  candidateCount = 0;
  candidateTrunk = -1;
  if (uUserLen > USER_BYTES_MAX) return 404;
  const len = unescapeInto(userText, uUserPtr, uUserLen);
  const aor = aorFind(userText, len);
  if (aor != 0) fromBindings(aor);
  if (candidateCount > 0) return 200;
  if (userFind(userText, len) != 0) return 480;
  if (!trunksAllowed || !routeFind(userText, len)) return 404;
  fromTrunk(rtNumberPtr, rtNumberLen);
  return candidateCount > 0 ? 200 : 404;
}

function most(): u32 {
  const max = initU32(I_FORK_MAX);
  return max < CANDIDATES_MAX ? max : CANDIDATES_MAX;
}

function fromBindings(aor: usize): void {
  for (let b = bindingFirst(aor); b != 0 && candidateCount < most(); b = bindingNext(b)) {
    const c = candidateAt(candidateCount++);
    store<u32>(c + CD_GROUP, 1001 - (load<u16>(b + B_Q) as u32));
    store<u32>(c + CD_BINDING, recSlot(b));
    store<u32>(c + CD_BINDING, recGen(b), 4);
    store<u32>(c + CD_URI, bindingUriPtr(b) as u32);
    store<u32>(c + CD_URI, bindingUriLen(b), 4);
    store<u32>(c + CD_PATH, bindingPathPtr(b) as u32);
    store<u32>(c + CD_PATH, bindingPathLen(b), 4);
    targetCopy(c + CD_TARGET, b + B_TARGET);
  }
}

function fromTrunk(number: usize, len: u32): void {
  candidateTrunk = rtTrunk;
  const strip = rtStrip < len ? rtStrip : len;
  const n = trunkGatewayCount(rtTrunk);
  const resume = cursor;
  for (let i: u32 = 0; i < n && candidateCount < most(); i++) {
    const c = candidateAt(candidateCount);
    const uri = gatewayUris + candidateCount * GATEWAY_URI_BYTES;
    candidateCount++;
    clear(c, CD_BYTES);
    // One gateway at a time, by priority and then as listed.
    store<u32>(c + CD_GROUP, 1 + gatewayPriority(rtTrunk, i) * CANDIDATES_MAX + i);
    const target = c + CD_TARGET;
    store<u8>(target + G_TRANSPORT, gatewayTransport(rtTrunk, i));
    store<u16>(target + G_PORT, gatewayPort(rtTrunk, i));
    copy16(target + G_ADDRESS, gatewayAddress(rtTrunk, i));
    writeAt(uri);
    text('sip:');
    bytes(rtPrependPtr, rtPrependLen);
    bytes(number + strip, len - strip);
    byte(64);
    address(target + G_ADDRESS, true);
    byte(58);
    decimal(load<u16>(target + G_PORT));
    if (load<u8>(target + G_TRANSPORT) == 1) text(';transport=tcp');
    store<u32>(c + CD_URI, uri as u32);
    store<u32>(c + CD_URI, (cursor - uri) as u32, 4);
  }
  writeAt(resume);
}
