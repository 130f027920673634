/**
 * RTCP that goes out: the edge is the end point of RTCP on both sides, because sequence numbers, timestamps and
 * SSRCs end here as well. A compound packet (RFC 3550 6.1) is a sender or receiver report with at most one
 * block, and the CNAME.
 */
import { CNAME_BYTES } from './abi';
import { putBe16, putBe32 } from './bytes';
import { L_CNAME } from './leg';
import { ntpFraction, ntpSeconds } from './ntp';
import {
  sourceFractionLost,
  sourceHighest,
  sourceLost,
  streamActive,
  streamFarFraction,
  streamFarJitter,
  streamFarLost,
  streamFarUs,
  streamJitterUnits,
  streamOctetsSent,
  streamPacketsSent,
  streamReportDelay,
  streamReportMid,
  streamSentSince,
  streamSource,
  streamTimestampAt,
} from './stream';

/** Room for one compound packet. */
export const REPORT_BYTES_MAX: u32 = 128;
/** A phone's report older than this says nothing of now: some intervals. */
const FAR_FRESH_US: f64 = 15e6;
const VERSION: u32 = 0x80;
const CNAME_ITEM: u32 = 1;

/**
 * Writes the report of an end point that sends `sent` with `ssrc` and hears `heard`. `relay`: what the receiver of
 * the heard stream further on reports is passed on instead of what is heard here (towards mediasoup, for
 * which the phone is the receiver).
 * @param sinceUs time of the last report but one: an end point that sent nothing since then is no sender (6.4)
 * @returns bytes written
 */
export function writeReport(
  dst: usize,
  leg: usize,
  sent: usize,
  ssrc: u32,
  heard: usize,
  relay: bool,
  sinceUs: f64,
  nowUs: f64,
): u32 {
  const blocks: u32 = streamActive(heard) ? 1 : 0;
  const sender = streamSentSince(sent, sinceUs);
  let at = dst + 8;
  if (sender) at = writeSenderInfo(at, sent, nowUs);
  if (blocks != 0) at = writeBlock(at, heard, relay, nowUs);
  writeHead(dst, blocks, sender ? 200 : 201, ssrc, at);
  return (writeCname(at, leg, ssrc) - dst) as u32;
}

function writeHead(packet: usize, items: u32, type: u32, ssrc: u32, end: usize): void {
  store<u8>(packet, VERSION | items);
  store<u8>(packet, type, 1);
  putBe16(packet + 2, (((end - packet) as u32) >>> 2) - 1);
  putBe32(packet + 4, ssrc);
}

/** RFC 3550 6.4.1, NTP and RTP time of the same moment, and what was sent. */
function writeSenderInfo(at: usize, sent: usize, nowUs: f64): usize {
  putBe32(at, ntpSeconds(nowUs));
  putBe32(at + 4, ntpFraction(nowUs));
  putBe32(at + 8, streamTimestampAt(sent, nowUs));
  putBe32(at + 12, modulo32(streamPacketsSent(sent)));
  putBe32(at + 16, modulo32(streamOctetsSent(sent)));
  return at + 20;
}

function modulo32(value: f64): u32 {
  return ((value as u64) & 0xffffffff) as u32;
}

function writeBlock(at: usize, heard: usize, relay: bool, nowUs: f64): usize {
  const farUs = streamFarUs(heard);
  const far = relay && farUs > 0 && nowUs - farUs < FAR_FRESH_US;
  const ownFraction = sourceFractionLost(heard);
  const fraction = far ? streamFarFraction(heard) : ownFraction;
  const lost = far ? streamFarLost(heard) : sourceLost(heard);
  const limited = max<i32>(-0x800000, min<i32>(0x7fffff, lost)) as u32;
  const mid = streamReportMid(heard);
  putBe32(at, streamSource(heard));
  putBe32(at + 4, (fraction << 24) | (limited & 0xffffff));
  putBe32(at + 8, sourceHighest(heard));
  putBe32(at + 12, far ? streamFarJitter(heard) : streamJitterUnits(heard));
  putBe32(at + 16, mid);
  putBe32(at + 20, mid == 0 ? 0 : streamReportDelay(heard, nowUs));
  return at + 24;
}

/** SDES with one chunk: SSRC, CNAME, and zeros up to the next word (6.5). */
function writeCname(packet: usize, leg: usize, ssrc: u32): usize {
  const item = packet + 8;
  store<u8>(item, CNAME_ITEM);
  store<u8>(item, CNAME_BYTES, 1);
  memory.copy(item + 2, leg + L_CNAME, CNAME_BYTES);
  store<u16>(item + 2 + CNAME_BYTES, 0);
  const end = item + 2 + CNAME_BYTES + 2;
  writeHead(packet, 1, 202, ssrc, end);
  return end;
}
