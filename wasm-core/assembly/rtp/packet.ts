/**
 * An RTP packet (RFC 3550 5.1): checked, its fields in globals, and its header rewritten in place.
 */
import { be16, be32, putBe16, putBe32 } from './bytes';

const HEADER_BYTES: u32 = 12;
const EXTENSION_HEADER_BYTES: u32 = 4;
const FLAG_PADDING: u32 = 0x20;
const FLAG_EXTENSION: u32 = 0x10;
const FLAG_MARKER: u32 = 0x80;

/** The packet that `parseRtp` found. */
export let rtpPt: u32 = 0;
export let rtpSequence: u32 = 0;
export let rtpTimestamp: u32 = 0;
export let rtpSsrc: u32 = 0;
/** Fixed header and CSRCs. */
export let rtpHeadBytes: u32 = 0;
/** Bytes between that and the payload. */
export let rtpExtensionBytes: u32 = 0;
/** Without padding. */
export let rtpPayloadBytes: u32 = 0;

/** RTCP by the second byte, where both may come on one port (RFC 5761 4). `length` >= 2. */
export function looksLikeRtcp(ptr: usize): bool {
  const type = load<u8>(ptr, 1) as u32;
  return type >= 192 && type <= 223;
}

/** Reads the packet into the globals. False when it is not RTP version 2 or does not hold together. */
export function parseRtp(ptr: usize, length: u32): bool {
  if (length < HEADER_BYTES) return false;
  const first = load<u8>(ptr) as u32;
  if (first >>> 6 != 2) return false;
  const head = HEADER_BYTES + ((first & 15) << 2);
  let extension: u32 = 0;
  if ((first & FLAG_EXTENSION) != 0) {
    if (length < head + EXTENSION_HEADER_BYTES) return false;
    extension = EXTENSION_HEADER_BYTES + (be16(ptr + head + 2) << 2);
  }
  if (length < head + extension) return false;
  let payload = length - head - extension;
  if ((first & FLAG_PADDING) != 0) {
    const padding = load<u8>(ptr + length - 1) as u32;
    if (padding == 0 || padding > payload) return false;
    payload -= padding;
  }
  rtpPt = (load<u8>(ptr, 1) as u32) & 0x7f;
  rtpSequence = be16(ptr + 2);
  rtpTimestamp = be32(ptr + 4);
  rtpSsrc = be32(ptr + 8);
  rtpHeadBytes = head;
  rtpExtensionBytes = extension;
  rtpPayloadBytes = payload;
  return true;
}

/**
 * Takes the header extension out of the packet at `ptr` (the last one parsed), by moving the head up to the payload.
 * What its ids mean is agreed on with each neighbour (RFC 8285), and with this one nothing was.
 * @returns where the packet begins now.
 */
export function stripExtension(ptr: usize): usize {
  if (rtpExtensionBytes == 0) return ptr;
  const start = ptr + rtpExtensionBytes;
  memory.copy(start, ptr, rtpHeadBytes);
  store<u8>(start, (load<u8>(start) as u32) & ~FLAG_EXTENSION);
  return start;
}

/** Rewrites what names the stream. `mark` sets the marker bit; false leaves it. */
export function rewriteRtp(ptr: usize, pt: u32, mark: bool, sequence: u32, timestamp: u32, ssrc: u32): void {
  const marker = mark ? FLAG_MARKER : (load<u8>(ptr, 1) as u32) & FLAG_MARKER;
  store<u8>(ptr, marker | pt, 1);
  putBe16(ptr + 2, sequence);
  putBe32(ptr + 4, timestamp);
  putBe32(ptr + 8, ssrc);
}
