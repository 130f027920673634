/**
 * Who may begin something new: a registration, a call, or another request outside of dialogs. Three gates: the source's
 * bucket, the user's bucket, and the controller of the whole core. Requests within dialogs never come here, and calls to
 * emergency numbers pass all gates.
 */
import {
  C_LIMITED_SOURCE,
  C_LIMITED_USER,
  C_SHED,
  C_SHED_SILENT,
  EMERGENCY_BYTES,
  EMERGENCY_MAX,
  F_ADDRESS,
  I_BUCKET_BITS,
  I_EMERGENCY_0,
  I_SECRET,
  I_SOURCE_BURST,
  I_SOURCE_PER_S,
  I_USER_BURST,
  I_USER_PER_S,
  LOG_LIMITED,
  METHOD_INVITE,
  METHOD_REGISTER,
} from '../abi';
import { initPtr, initU32 } from '../config';
import { siphash24 } from '../crypto/siphash';
import { count, logEvent, rxFrame } from '../effects';
import { callIdLen, callIdPtr, methodId } from '../sip/message';
import { uUserLen, uUserPtr } from '../sip/uri';
import { refuseLater } from '../transaction/respond';
import { bucketTake, bucketsNew } from './buckets';
import {
  controllerAdmit,
  controllerInit,
  controllerMayAnswer,
  controllerMustDrop,
  isLimited,
} from './controller';

const ADDRESS_BYTES: u32 = 16;

let sources: usize = 0;
let users: usize = 0;

export function admissionInit(): void {
  const bits = initU32(I_BUCKET_BITS);
  sources = bucketsNew(bits);
  users = bucketsNew(bits);
  controllerInit();
}

function keyOf(ptr: usize, len: u32): u64 {
  return siphash24(initPtr() + I_SECRET, ptr, len) | 1;
}

/** Whether the user part at `ptr` is an emergency number. */
function isEmergencyNumber(ptr: usize, len: u32): bool {
  if (len == 0 || len >= EMERGENCY_BYTES) return false;
  for (let i: u32 = 0; i < EMERGENCY_MAX; i++) {
    const at = initPtr() + I_EMERGENCY_0 + i * EMERGENCY_BYTES;
    if ((load<u8>(at) as u32) == len && memory.compare(at + 1, ptr, len) == 0) return true;
  }
  return false;
}

/** Whether the current request (its URI has just been parsed) is a call for help. */
function isEmergency(): bool {
  return methodId == METHOD_INVITE && isEmergencyNumber(uUserPtr, uUserLen);
}

function refused(counter: u32): bool {
  count(counter);
  if (!controllerMayAnswer()) {
    count(C_SHED_SILENT);
    return false;
  }
  logEvent(LOG_LIMITED, 503, callIdPtr, callIdLen);
  refuseLater();
  return false;
}

/** The gates for the current request before it is known who sent it. False: it was refused. */
export function admitSource(trusted: bool): bool {
  if (isEmergency()) return true;
  const perSecond = initU32(I_SOURCE_PER_S);
  if (perSecond != 0 && !trusted) {
    const key = keyOf(rxFrame + F_ADDRESS, ADDRESS_BYTES);
    if (!bucketTake(sources, key, perSecond, initU32(I_SOURCE_BURST))) return refused(C_LIMITED_SOURCE);
  }
  const begins = methodId == METHOD_INVITE || methodId == METHOD_REGISTER;
  if (begins && !controllerAdmit()) return refused(C_SHED);
  return true;
}

/** The gate for a request of the user who has proved to be `name`. False: it was refused. */
export function admitUser(name: usize, len: u32): bool {
  const perSecond = initU32(I_USER_PER_S);
  if (perSecond == 0 || isEmergency()) return true;
  return bucketTake(users, keyOf(name, len), perSecond, initU32(I_USER_BURST))
    ? true
    : refused(C_LIMITED_USER);
}

/**
 * While overloaded, most of what begins something is left unread: parsing and answering all of it would leave no time for
 * the calls that were let in. True: drop the datagram at `ptr`.
 */
export function mustDropUnread(ptr: usize, len: u32): bool {
  if (!isLimited() || !beginsSomething(ptr, len) || !controllerMustDrop()) return false;
  count(C_SHED);
  count(C_SHED_SILENT);
  return true;
}

/** A REGISTER, or an INVITE without a tag in To and not to an emergency number. When in doubt, no. */
function beginsSomething(ptr: usize, len: u32): bool {
  if (len < 16) return false;
  const first = load<u64>(ptr);
  if (first == 0x5245545349474552) return true; // REGISTER
  if ((first & 0x00ffffffffffffff) != 0x20455449564e49) return false; // INVITE, space
  return !hasEmergencyTarget(ptr + 7, ptr + len) && !hasToTag(ptr, ptr + len);
}

function hasEmergencyTarget(at: usize, end: usize): bool {
  while (at < end && load<u8>(at) != 58) at++; // the scheme's colon
  const user = ++at;
  while (at < end) {
    const c = load<u8>(at) as u32;
    if (c == 64 || c == 59 || c <= 32) break; // @ ; or the end of the URI
    at++;
  }
  return at < end && isEmergencyNumber(user, (at - user) as u32);
}

/** Whether a line `To:` or `t:` has `tag=`; also true when there is no such line. */
function hasToTag(at: usize, end: usize): bool {
  for (; at + 4 < end; at++) {
    if (load<u8>(at) != 10) continue;
    const name = (load<u8>(at + 1) as u32) | 32;
    if (name != 116) continue; // t
    const next = (load<u8>(at + 2) as u32) | 32;
    const long = next == 111 && isNameEnd(load<u8>(at + 3)); // o
    if (!long && !isNameEnd(load<u8>(at + 2))) continue;
    for (at += 2; at + 4 < end && load<u8>(at) != 10; at++) {
      if ((load<u32>(at) | 0x00202020) == 0x3d676174) return true; // tag=
    }
    return false;
  }
  return true;
}

function isNameEnd(c: u32): bool {
  return c == 58 || c == 32 || c == 9;
}
