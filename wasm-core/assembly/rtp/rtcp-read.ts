/**
 * RTCP that comes in (RFC 3550 6): the whole datagram is checked before anything of it is believed.
 */
import { be16, be32 } from './bytes';
import { ntpMid } from './ntp';
import { streamActive, streamEnd, streamFar, streamReported, streamSource } from './stream';

const SENDER_REPORT: u32 = 200;
const RECEIVER_REPORT: u32 = 201;
const GOODBYE: u32 = 203;
const TYPE_FIRST: u32 = 192; // RFC 5761 4
const TYPE_LAST: u32 = 223;
const BLOCK_BYTES: u32 = 24;
const SR_BLOCKS: u32 = 28;
const RR_BLOCKS: u32 = 8;
/** A longer round trip is a report on something older. */
const RTT_US_MAX: f64 = 10e6;

/** Bytes that a packet of `type` has at least, with `items` in its header. */
function leastBytes(type: u32, items: u32): u32 {
  if (type == SENDER_REPORT) return SR_BLOCKS + items * BLOCK_BYTES;
  if (type == RECEIVER_REPORT) return RR_BLOCKS + items * BLOCK_BYTES;
  if (type == GOODBYE) return 4 + (items << 2);
  return 4;
}

/** Whether the datagram is a sequence of complete RTCP packets (RFC 3550 A.2; reduced-size allowed, RFC 5506). */
export function validRtcp(ptr: usize, length: u32): bool {
  if (length == 0) return false;
  let at: u32 = 0;
  while (at < length) {
    if (length - at < 4) return false;
    const first = load<u8>(ptr + at) as u32;
    const type = load<u8>(ptr + at, 1) as u32;
    const bytes = (be16(ptr + at + 2) + 1) << 2;
    if (first >>> 6 != 2 || type < TYPE_FIRST || type > TYPE_LAST) return false;
    if (bytes > length - at || bytes < leastBytes(type, first & 31)) return false;
    if ((first & 0x20) != 0 && at + bytes != length) return false; // only the last one is padded
    at += bytes;
  }
  return true;
}

/**
 * Takes in a datagram that `validRtcp` accepted. `heard` is the stream whose source sent it, `sent` the one
 * that the source receives, with SSRC `ssrc`.
 */
export function hearRtcp(ptr: usize, length: u32, heard: usize, sent: usize, ssrc: u32, nowUs: f64): void {
  let at: u32 = 0;
  while (at < length) {
    const packet = ptr + at;
    const items = (load<u8>(packet) as u32) & 31;
    const type = load<u8>(packet, 1) as u32;
    if (type == SENDER_REPORT) {
      if (isSource(heard, packet)) streamReported(heard, be32(packet + 10), nowUs);
      hearBlocks(packet + SR_BLOCKS, items, sent, ssrc, nowUs);
    } else if (type == RECEIVER_REPORT) {
      hearBlocks(packet + RR_BLOCKS, items, sent, ssrc, nowUs);
    } else if (type == GOODBYE && items > 0 && isSource(heard, packet)) {
      streamEnd(heard);
    }
    at += (be16(packet + 2) + 1) << 2;
  }
}

/** Whether the SSRC in the packet's first word is that of the stream's source. */
function isSource(heard: usize, packet: usize): bool {
  return streamActive(heard) && streamSource(heard) == be32(packet + 4);
}

function hearBlocks(blocks: usize, items: u32, sent: usize, ssrc: u32, nowUs: f64): void {
  for (let i: u32 = 0; i < items; i++) {
    const block = blocks + i * BLOCK_BYTES;
    if (be32(block) != ssrc) continue;
    const word = be32(block + 4);
    const lost = ((word << 8) as i32) >> 8; // 24 bits, signed
    streamFar(sent, word >>> 24, lost, be32(block + 12), roundTripUs(block, nowUs), nowUs);
  }
}

/** Arrival minus LSR minus DLSR (RFC 3550 6.4.1); -1 when the block does not say or makes no sense. */
function roundTripUs(block: usize, nowUs: f64): f64 {
  const lastReport = be32(block + 16);
  if (lastReport == 0) return -1;
  const units = (ntpMid(nowUs) - lastReport - be32(block + 20)) as i32;
  const us = ((units as f64) * 1e6) / 65536;
  // Less than nothing, within the resolution of the clocks, is nothing.
  if (us < 0) return us > -10000 ? 0 : -1;
  return us <= RTT_US_MAX ? us : -1;
}
