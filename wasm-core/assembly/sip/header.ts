/**
 * Header fields. One table holds each name once, with its compact form (RFC 3261 7.3.3 and the registry);
 * everything else is derived from it. A name is always compared in full.
 */
import { classesInit } from './scan';

/** Not in the table. The first five that are, up to CSeq, are those that every response repeats (RFC 3261 8.2.6.2). */
export const H_OTHER: u32 = 0;
export const H_VIA: u32 = 1;
export const H_FROM: u32 = 2;
export const H_TO: u32 = 3;
export const H_CALL_ID: u32 = 4;
export const H_CSEQ: u32 = 5;
export const H_CONTACT: u32 = 6;
export const H_MAX_FORWARDS: u32 = 7;
export const H_ROUTE: u32 = 8;
export const H_RECORD_ROUTE: u32 = 9;
export const H_CONTENT_LENGTH: u32 = 10;
export const H_CONTENT_TYPE: u32 = 11;
export const H_CONTENT_ENCODING: u32 = 12;
export const H_EXPIRES: u32 = 13;
export const H_MIN_EXPIRES: u32 = 14;
export const H_REQUIRE: u32 = 15;
export const H_PROXY_REQUIRE: u32 = 16;
export const H_SUPPORTED: u32 = 17;
export const H_UNSUPPORTED: u32 = 18;
export const H_ALLOW: u32 = 19;
export const H_AUTHORIZATION: u32 = 20;
export const H_PROXY_AUTHORIZATION: u32 = 21;
export const H_WWW_AUTHENTICATE: u32 = 22;
export const H_PROXY_AUTHENTICATE: u32 = 23;
export const H_AUTHENTICATION_INFO: u32 = 24;
export const H_PATH: u32 = 25;
export const H_SERVICE_ROUTE: u32 = 26;
export const H_USER_AGENT: u32 = 27;
export const H_SERVER: u32 = 28;
export const H_DATE: u32 = 29;
export const H_RETRY_AFTER: u32 = 30;
export const H_EVENT: u32 = 31;
export const H_SUBJECT: u32 = 32;
export const H_ACCEPT: u32 = 33;
export const H_WARNING: u32 = 34;
export const H_P_ASSERTED_IDENTITY: u32 = 35;
export const H_P_PREFERRED_IDENTITY: u32 = 36;
export const H_PRIVACY: u32 = 37;
export const H_REFER_TO: u32 = 38;
export const H_REFERRED_BY: u32 = 39;
export const H_SESSION_EXPIRES: u32 = 40;
export const H_MIN_SE: u32 = 41;
export const H_RSEQ: u32 = 42;
export const H_RACK: u32 = 43;
export const H_TIMESTAMP: u32 = 44;
export const H_REASON: u32 = 45;
export const H_IDENTITY: u32 = 46;
export const H_REPLACES: u32 = 47;
export const H_ALLOW_EVENTS: u32 = 48;
/** Ids are below this. */
export const H_COUNT: u32 = 49;

/** Names by id, each with its compact form behind a space where it has one. */
const NAMES: StaticArray<string> = [
  'Via v',
  'From f',
  'To t',
  'Call-ID i',
  'CSeq',
  'Contact m',
  'Max-Forwards',
  'Route',
  'Record-Route',
  'Content-Length l',
  'Content-Type c',
  'Content-Encoding e',
  'Expires',
  'Min-Expires',
  'Require',
  'Proxy-Require',
  'Supported k',
  'Unsupported',
  'Allow',
  'Authorization',
  'Proxy-Authorization',
  'WWW-Authenticate',
  'Proxy-Authenticate',
  'Authentication-Info',
  'Path',
  'Service-Route',
  'User-Agent',
  'Server',
  'Date',
  'Retry-After',
  'Event o',
  'Subject s',
  'Accept',
  'Warning',
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'Privacy',
  'Refer-To r',
  'Referred-By b',
  'Session-Expires x',
  'Min-SE',
  'RSeq',
  'RAck',
  'Timestamp',
  'Reason',
  'Identity y',
  'Replaces',
  'Allow-Events u',
];

const BUCKETS: u32 = 256;
const NAME_BYTES: u32 = 24;
// an entry: the name in lower case, and 32 (the bit of the case) for each of its letters
const ENTRY_ID: u32 = 0; // u8
const ENTRY_LEN: u32 = 1; // u8
const ENTRY_NEXT: u32 = 2; // u8: next of the chain
const ENTRY_NAME: u32 = 8;
const ENTRY_CASE: u32 = ENTRY_NAME + NAME_BYTES;
const ENTRY_BYTES: u32 = ENTRY_CASE + NAME_BYTES;
const ENTRIES: u32 = 72;

/** Chains of entries by a hash of length, first and last letter. */
const heads: usize = memory.data(256, 16); // BUCKETS
const entries: usize = memory.data(4032, 16); // ENTRIES * ENTRY_BYTES; the first stays free
let entryCount: u32 = 0;

function hash(ptr: usize, len: u32): u32 {
  const first = (load<u8>(ptr) | 32) as u32; // whatever the case
  const last = (load<u8>(ptr + len - 1) | 32) as u32;
  return (first * 7 + last * 31 + len * 13) & (BUCKETS - 1);
}

/** Derives the look-up from the table, and that of characters; once, before the first message. */
export function headersInit(): void {
  classesInit();
  memory.fill(heads, 0, BUCKETS);
  entryCount = 0;
  for (let i: u32 = 0; i < H_COUNT - 1; i++) addNames(i + 1, NAMES[i]);
}

function addNames(id: u32, names: string): void {
  let start = 0;
  for (let i = 0; i <= names.length; i++) {
    if (i < names.length && names.charCodeAt(i) != 32) continue;
    addName(id, names, start, i);
    start = i + 1;
  }
}

function addName(id: u32, names: string, from: i32, to: i32): void {
  if (++entryCount == ENTRIES) unreachable();
  const entry = entries + entryCount * ENTRY_BYTES;
  const len = (to - from) as u32;
  store<u8>(entry, id, ENTRY_ID);
  store<u8>(entry, len, ENTRY_LEN);
  for (let i: u32 = 0; i < len; i++) {
    const c = names.charCodeAt(from + (i as i32)) as u32;
    const letter = (c | 32) - 97 < 26;
    store<u8>(entry + i, letter ? c | 32 : c, ENTRY_NAME);
    store<u8>(entry + i, letter ? 32 : 0, ENTRY_CASE);
  }
  const head = heads + hash(entry + ENTRY_NAME, len);
  store<u8>(entry, load<u8>(head), ENTRY_NEXT);
  store<u8>(head, entryCount);
}

/** Id of the header with that name, H_OTHER when it is not in the table. Up to 8 bytes behind it are read. */
export function headerId(ptr: usize, len: u32): u32 {
  if (len == 0 || len > NAME_BYTES) return H_OTHER;
  let i = load<u8>(heads + hash(ptr, len)) as u32;
  while (i != 0) {
    const entry = entries + i * ENTRY_BYTES;
    if (load<u8>(entry, ENTRY_LEN) == len && isNamed(entry, ptr, len)) return load<u8>(entry, ENTRY_ID);
    i = load<u8>(entry, ENTRY_NEXT);
  }
  return H_OTHER;
}

/** Whether the name at `ptr` is the entry's, of the same length, whatever the case of its letters. */
function isNamed(entry: usize, ptr: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i += 8) {
    const lower = load<u64>(ptr + i) | load<u64>(entry + i, ENTRY_CASE);
    const difference = lower ^ load<u64>(entry + i, ENTRY_NAME);
    const rest = len - i;
    if ((rest < 8 ? difference << (((8 - rest) << 3) as u64) : difference) != 0) return false;
  }
  return true;
}
