/** name-addr and addr-spec values (RFC 3261 20.10, 25.1): From, To, Contact, Route and their like. */
import { checkParams, findChecked } from './param';
import { isSpace, isToken, skipQuoted, skipSpace, trimEnd, uriCharsEnd } from './scan';
import { schemeEnd } from './uri';

// the value last parsed
export let adPtr: usize = 0;
export let adUriPtr: usize = 0;
export let adUriLen: u32 = 0;
/** Header parameters, from the first semicolon on. */
export let adParamsPtr: usize = 0;
export let adParamsLen: u32 = 0;
/** The comma behind the value, or the end. */
export let adEnd: usize = 0;
/** The URI stood in angle brackets. */
export let adBrackets: bool = false;

/** Parses the value at `ptr`; the list it stands in ends at `end`. False when it is malformed. */
export function parseAddress(ptr: usize, end: usize): bool {
  adPtr = skipSpace(ptr, end);
  let p = adPtr;
  if (p >= end) return false;
  if (load<u8>(p) == 34) {
    p = skipQuoted(p, end);
    if (p == 0) return false;
    p = skipSpace(p, end);
    return p < end && load<u8>(p) == 60 && bracketed(p, end);
  }
  if (load<u8>(p) == 60) return bracketed(p, end);
  const open = displayName(p, end);
  return open != 0 ? bracketed(open, end) : bare(p, end);
}

/**
 * The bracket behind an unquoted display name, or 0 when this is none. Tokens and white space, and, because phones
 * send them, bytes of UTF-8.
 */
function displayName(at: usize, end: usize): usize {
  let p = at;
  while (p < end) {
    const c = load<u8>(p);
    if (!isToken(c) && !isSpace(c) && c < 128) break;
    p++;
  }
  return p < end && load<u8>(p) == 60 ? p : 0;
}

function bracketed(open: usize, end: usize): bool {
  adUriPtr = open + 1;
  const p = uriCharsEnd(adUriPtr, end);
  if (p >= end || load<u8>(p) != 62 || schemeEnd(adUriPtr, p) == 0) return false;
  adUriLen = (p - adUriPtr) as u32;
  adBrackets = true;
  return params(skipSpace(p + 1, end), end);
}

/** Without brackets, parameters belong to the header (20.10), and the URI has no comma, semicolon or question mark. */
function bare(at: usize, end: usize): bool {
  let p = at;
  adUriPtr = p;
  while (p < end) {
    const c = load<u8>(p);
    if (c == 59 || c == 44 || isSpace(c)) break;
    if (c == 63 || c == 34 || c == 60 || c == 62) return false;
    p++;
  }
  adUriLen = (p - at) as u32;
  adBrackets = false;
  return schemeEnd(at, p) != 0 && params(skipSpace(p, end), end);
}

function params(at: usize, end: usize): bool {
  adParamsPtr = at;
  const p = checkParams(at, end);
  if (p == 0) return false;
  adParamsLen = (trimEnd(at, p) - at) as u32;
  adEnd = p;
  return true;
}

/** Finds a header parameter of the value last parsed (pv* in param.ts). */
export function addressParam(namePtr: usize, nameLen: u32): bool {
  return findChecked(namePtr, nameLen);
}
