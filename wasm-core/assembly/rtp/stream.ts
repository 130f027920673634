/**
 * One direction of a leg: what is heard from its source (RFC 3550 A.1, A.3, A.8), and how that is sent on as
 * one uninterrupted stream, whatever becomes of the source. When the source changes (another SSRC, a jump
 * in its sequence numbers, a pause by hold), sequence numbers go on with the next one and timestamps by the time
 * that passed: the other side never sees two streams.
 */

// Heard.
const ST_ACTIVE: u32 = 0; // u32: there is a source
const ST_SOURCE: u32 = 4; // u32: its SSRC
const ST_MAX_SEQ: u32 = 8; // u32, 16 bits
const ST_CYCLES: u32 = 12; // u32, multiples of 65,536
const ST_BASE_SEQ: u32 = 16; // u32
const ST_BAD_SEQ: u32 = 20; // u32: the number that would confirm a jump
const ST_RECEIVED: u32 = 24; // u32: of this source
const ST_EXPECTED_PRIOR: u32 = 28; // u32: at the last report
const ST_RECEIVED_PRIOR: u32 = 32; // u32
const ST_RATE: u32 = 36; // u32: clock rate of the last packet, Hz
const ST_LAST_TIMESTAMP: u32 = 40; // u32
const ST_REPORT_MID: u32 = 44; // u32: middle of the NTP time in the source's last sender report, 0 = none
const ST_LAST_US: u32 = 48; // f64: arrival of the packet that LAST_TIMESTAMP is of
const ST_JITTER_US: u32 = 56; // f64
const ST_REPORT_US: u32 = 64; // f64: when that sender report came
const ST_EXPECTED_BEFORE: u32 = 72; // f64: of earlier sources
const ST_RECEIVED_BEFORE: u32 = 80; // f64
const ST_PACKETS_HEARD: u32 = 88; // f64
const ST_BYTES_HEARD: u32 = 96; // f64
// Sent on.
const ST_REBASE: u32 = 104; // u32: the next packet continues after the last sent
const ST_SEQ_OFFSET: u32 = 108; // u32
const ST_TS_OFFSET: u32 = 112; // u32
const ST_OUT_SEQ: u32 = 116; // u32: newest sent
const ST_OUT_TS: u32 = 120; // u32
const ST_OUT_RATE: u32 = 124; // u32
const ST_OUT_US: u32 = 128; // f64: when; 0 = nothing sent yet
const ST_PACKETS_SENT: u32 = 136; // f64
const ST_BYTES_SENT: u32 = 144; // f64: of whole datagrams
const ST_OCTETS_SENT: u32 = 152; // f64: of payload, for sender reports
// What the receiver reports of it.
const ST_FAR_US: u32 = 160; // f64: when; 0 = no report yet
const ST_FAR_FRACTION: u32 = 168; // u32, 1/256
const ST_FAR_LOST: u32 = 172; // i32
const ST_FAR_JITTER: u32 = 176; // u32, timestamp units
const ST_RTT_US: u32 = 184; // f64, -1 = unknown
export const STREAM_BYTES: u32 = 192;

const MAX_DROPOUT: u32 = 3000;
const MAX_MISORDER: u32 = 100;
const BAD_SEQ_NONE: u32 = 0x10000;

/** A stream that will begin with the number after `sequence`, and at `timestamp` (random: RFC 3550 5.1). */
export function streamInit(stream: usize, sequence: u32, timestamp: u32): void {
  memory.fill(stream, 0, STREAM_BYTES);
  store<u32>(stream, 1, ST_REBASE);
  store<u32>(stream, sequence & 0xffff, ST_OUT_SEQ);
  store<u32>(stream, timestamp, ST_OUT_TS);
  store<f64>(stream, -1, ST_RTT_US);
}

function sourceExpected(stream: usize): u32 {
  if (load<u32>(stream, ST_RECEIVED) == 0) return 0;
  return load<u32>(stream, ST_CYCLES) + load<u32>(stream, ST_MAX_SEQ) - load<u32>(stream, ST_BASE_SEQ) + 1;
}

/** A source begins: what the one before it lost stays counted. */
function sourceStart(stream: usize, ssrc: u32, sequence: u32): void {
  const expected = load<f64>(stream, ST_EXPECTED_BEFORE) + (sourceExpected(stream) as f64);
  const received = load<f64>(stream, ST_RECEIVED_BEFORE) + (load<u32>(stream, ST_RECEIVED) as f64);
  store<f64>(stream, expected, ST_EXPECTED_BEFORE);
  store<f64>(stream, received, ST_RECEIVED_BEFORE);
  if (load<u32>(stream, ST_SOURCE) != ssrc) store<u32>(stream, 0, ST_REPORT_MID);
  store<u32>(stream, 1, ST_ACTIVE);
  store<u32>(stream, ssrc, ST_SOURCE);
  store<u32>(stream, sequence, ST_MAX_SEQ);
  store<u32>(stream, sequence, ST_BASE_SEQ);
  store<u32>(stream, BAD_SEQ_NONE, ST_BAD_SEQ);
  store<u32>(stream, 0, ST_CYCLES);
  store<u32>(stream, 0, ST_RECEIVED);
  store<u32>(stream, 0, ST_EXPECTED_PRIOR);
  store<u32>(stream, 0, ST_RECEIVED_PRIOR);
  store<u32>(stream, 0, ST_RATE);
  store<u32>(stream, 1, ST_REBASE);
}

/** RFC 3550 A.1 without probation: the source is known by its address. False: dropped, a jump to be confirmed. */
function sequenceHeard(stream: usize, ssrc: u32, sequence: u32): bool {
  const newest = load<u32>(stream, ST_MAX_SEQ);
  const ahead = (sequence - newest) & 0xffff;
  if (ahead < MAX_DROPOUT) {
    if (sequence < newest) store<u32>(stream, load<u32>(stream, ST_CYCLES) + 0x10000, ST_CYCLES);
    store<u32>(stream, sequence, ST_MAX_SEQ);
  } else if (ahead <= 0x10000 - MAX_MISORDER) {
    if (sequence != load<u32>(stream, ST_BAD_SEQ)) {
      store<u32>(stream, (sequence + 1) & 0xffff, ST_BAD_SEQ);
      return false;
    }
    sourceStart(stream, ssrc, sequence);
  }
  return true;
}

/**
 * RFC 3550 A.8, in µs so that payload types of different clock rates can take turns (RFC 7160). Packets of one
 * timestamp (a telephone event, RFC 4733 2.5.1.2) say nothing of the path.
 */
function jitterHeard(stream: usize, timestamp: u32, rate: u32, nowUs: f64): void {
  const before = load<u32>(stream, ST_LAST_TIMESTAMP);
  const same = rate != 0 && rate == load<u32>(stream, ST_RATE);
  if (same && timestamp == before) return;
  if (same) {
    const sentUs = (((timestamp - before) as i32 as f64) * 1e6) / (rate as f64);
    const difference = abs(nowUs - load<f64>(stream, ST_LAST_US) - sentUs);
    // A jump of the sender's clock is no jitter.
    if (difference < 10e6) {
      const jitter = load<f64>(stream, ST_JITTER_US);
      store<f64>(stream, jitter + (difference - jitter) / 16, ST_JITTER_US);
    }
  }
  store<u32>(stream, rate, ST_RATE);
  store<u32>(stream, timestamp, ST_LAST_TIMESTAMP);
  store<f64>(stream, nowUs, ST_LAST_US);
}

/** Takes note of a packet from the source. False when it must be dropped. */
export function streamHear(
  stream: usize,
  ssrc: u32,
  sequence: u32,
  timestamp: u32,
  rate: u32,
  bytes: u32,
  nowUs: f64,
): bool {
  if (load<u32>(stream, ST_ACTIVE) == 0 || load<u32>(stream, ST_SOURCE) != ssrc) {
    sourceStart(stream, ssrc, sequence);
  } else if (!sequenceHeard(stream, ssrc, sequence)) {
    return false;
  }
  store<u32>(stream, load<u32>(stream, ST_RECEIVED) + 1, ST_RECEIVED);
  store<f64>(stream, load<f64>(stream, ST_PACKETS_HEARD) + 1, ST_PACKETS_HEARD);
  store<f64>(stream, load<f64>(stream, ST_BYTES_HEARD) + (bytes as f64), ST_BYTES_HEARD);
  jitterHeard(stream, timestamp, rate, nowUs);
  return true;
}

/**
 * A packet of the source is left out for good (a payload type the other side does not know, such as comfort noise):
 * it is not lost, and the numbers of what is sent on close up.
 */
export function streamSkip(stream: usize, ssrc: u32, sequence: u32): void {
  if (load<u32>(stream, ST_ACTIVE) == 0 || load<u32>(stream, ST_SOURCE) != ssrc) return;
  const isNext = ((load<u32>(stream, ST_MAX_SEQ) + 1) & 0xffff) == sequence;
  if (!sequenceHeard(stream, ssrc, sequence)) return;
  store<u32>(stream, load<u32>(stream, ST_RECEIVED) + 1, ST_RECEIVED);
  if (isNext) store<u32>(stream, load<u32>(stream, ST_SEQ_OFFSET) - 1, ST_SEQ_OFFSET);
}

/** What is heard is not sent on for now; what comes after goes on without a gap. */
export function streamPause(stream: usize): void {
  store<u32>(stream, 1, ST_REBASE);
}

/** Header fields for the packet that is sent on. */
export let outSequence: u32 = 0;
export let outTimestamp: u32 = 0;
/** First packet after a change: receivers may adapt their playout (RFC 3551 4.1). */
export let outMark: bool = false;

function rebase(stream: usize, sequence: u32, timestamp: u32, rate: u32, nowUs: f64): void {
  const lastUs = load<f64>(stream, ST_OUT_US);
  let next = load<u32>(stream, ST_OUT_TS);
  if (lastUs > 0) next += ticks(nowUs - lastUs, rate);
  store<u32>(stream, load<u32>(stream, ST_OUT_SEQ) + 1 - sequence, ST_SEQ_OFFSET);
  store<u32>(stream, next - timestamp, ST_TS_OFFSET);
  store<u32>(stream, 0, ST_REBASE);
}

/** Timestamp units in `us`, at least 1. */
function ticks(us: f64, rate: u32): u32 {
  const units = (us * (rate as f64)) / 1e6;
  return units < 1 ? 1 : (((units as u64) & 0xffffffff) as u32);
}

/** The packet just heard is sent on, as `bytes` with `octets` of payload: leaves its new fields in the globals. */
export function streamSend(
  stream: usize,
  sequence: u32,
  timestamp: u32,
  rate: u32,
  bytes: u32,
  octets: u32,
  nowUs: f64,
): void {
  outMark = load<u32>(stream, ST_REBASE) != 0;
  if (outMark) rebase(stream, sequence, timestamp, rate, nowUs);
  outSequence = (sequence + load<u32>(stream, ST_SEQ_OFFSET)) & 0xffff;
  outTimestamp = timestamp + load<u32>(stream, ST_TS_OFFSET);
  if (((outSequence - load<u32>(stream, ST_OUT_SEQ)) & 0xffff) < 0x8000) {
    store<u32>(stream, outSequence, ST_OUT_SEQ);
    store<u32>(stream, outTimestamp, ST_OUT_TS);
    store<u32>(stream, rate, ST_OUT_RATE);
    store<f64>(stream, nowUs, ST_OUT_US);
  }
  store<f64>(stream, load<f64>(stream, ST_PACKETS_SENT) + 1, ST_PACKETS_SENT);
  store<f64>(stream, load<f64>(stream, ST_BYTES_SENT) + (bytes as f64), ST_BYTES_SENT);
  store<f64>(stream, load<f64>(stream, ST_OCTETS_SENT) + (octets as f64), ST_OCTETS_SENT);
}

// --- what the reports need ------------------------------------------------------------------------

export function streamActive(stream: usize): bool {
  return load<u32>(stream, ST_ACTIVE) != 0;
}

export function streamSource(stream: usize): u32 {
  return load<u32>(stream, ST_SOURCE);
}

/** The source has said goodbye; a packet that comes all the same begins a new one. */
export function streamEnd(stream: usize): void {
  store<u32>(stream, 0, ST_ACTIVE);
}

/** Whether something was sent since `sinceUs`. */
export function streamSentSince(stream: usize, sinceUs: f64): bool {
  return load<f64>(stream, ST_OUT_US) > sinceUs;
}

/** Timestamp that belongs to `nowUs` in what is sent on. */
export function streamTimestampAt(stream: usize, nowUs: f64): u32 {
  const us = nowUs - load<f64>(stream, ST_OUT_US);
  return load<u32>(stream, ST_OUT_TS) + (us <= 0 ? 0 : ticks(us, load<u32>(stream, ST_OUT_RATE)));
}

export function streamPacketsSent(stream: usize): f64 {
  return load<f64>(stream, ST_PACKETS_SENT);
}

export function streamBytesSent(stream: usize): f64 {
  return load<f64>(stream, ST_BYTES_SENT);
}

export function streamOctetsSent(stream: usize): f64 {
  return load<f64>(stream, ST_OCTETS_SENT);
}

export function streamPacketsHeard(stream: usize): f64 {
  return load<f64>(stream, ST_PACKETS_HEARD);
}

export function streamBytesHeard(stream: usize): f64 {
  return load<f64>(stream, ST_BYTES_HEARD);
}

/** Expected from all sources so far (RFC 3550 A.3). */
export function streamExpected(stream: usize): f64 {
  return load<f64>(stream, ST_EXPECTED_BEFORE) + (sourceExpected(stream) as f64);
}

/** Expected and not come; duplicates count against it. */
export function streamLost(stream: usize): f64 {
  const received = load<f64>(stream, ST_RECEIVED_BEFORE) + (load<u32>(stream, ST_RECEIVED) as f64);
  return streamExpected(stream) - received;
}

/** Lost of the present source. */
export function sourceLost(stream: usize): i32 {
  return (sourceExpected(stream) - load<u32>(stream, ST_RECEIVED)) as i32;
}

/** Extended highest sequence number of the present source. */
export function sourceHighest(stream: usize): u32 {
  return load<u32>(stream, ST_CYCLES) + load<u32>(stream, ST_MAX_SEQ);
}

/** Fraction lost since it was last asked, 1/256 (RFC 3550 A.3). */
export function sourceFractionLost(stream: usize): u32 {
  const expected = sourceExpected(stream);
  const received = load<u32>(stream, ST_RECEIVED);
  const interval = expected - load<u32>(stream, ST_EXPECTED_PRIOR);
  const lost = (interval - (received - load<u32>(stream, ST_RECEIVED_PRIOR))) as i32;
  store<u32>(stream, expected, ST_EXPECTED_PRIOR);
  store<u32>(stream, received, ST_RECEIVED_PRIOR);
  if (interval == 0 || lost <= 0) return 0;
  return min<u32>(255, ((lost as u32) << 8) / interval);
}

export function streamJitterUs(stream: usize): f64 {
  return load<f64>(stream, ST_JITTER_US);
}

/** Jitter in the timestamp units of the last packet. */
export function streamJitterUnits(stream: usize): u32 {
  return ((load<f64>(stream, ST_JITTER_US) * (load<u32>(stream, ST_RATE) as f64)) / 1e6) as u32;
}

/** A sender report of the source came. `mid`: middle 32 bits of its NTP time. */
export function streamReported(stream: usize, mid: u32, nowUs: f64): void {
  store<u32>(stream, mid, ST_REPORT_MID);
  store<f64>(stream, nowUs, ST_REPORT_US);
}

/** Middle of the last sender report's NTP time, 0 = none. */
export function streamReportMid(stream: usize): u32 {
  return load<u32>(stream, ST_REPORT_MID);
}

/** Since it came, in 1/65,536 s. */
export function streamReportDelay(stream: usize, nowUs: f64): u32 {
  return (((nowUs - load<f64>(stream, ST_REPORT_US)) * 65536) / 1e6) as u32;
}

// --- what the receiver of what is sent on reports ---------------------------------------------------

/** A report block of the receiver. `rttUs` below 0: it allows no statement. */
export function streamFar(
  stream: usize,
  fraction: u32,
  lost: i32,
  jitter: u32,
  rttUs: f64,
  nowUs: f64,
): void {
  store<u32>(stream, fraction, ST_FAR_FRACTION);
  store<i32>(stream, lost, ST_FAR_LOST);
  store<u32>(stream, jitter, ST_FAR_JITTER);
  store<f64>(stream, nowUs, ST_FAR_US);
  if (rttUs >= 0) store<f64>(stream, rttUs, ST_RTT_US);
}

/** When the last report came; 0 = none yet. */
export function streamFarUs(stream: usize): f64 {
  return load<f64>(stream, ST_FAR_US);
}

export function streamFarFraction(stream: usize): u32 {
  return load<u32>(stream, ST_FAR_FRACTION);
}

export function streamFarLost(stream: usize): i32 {
  return load<i32>(stream, ST_FAR_LOST);
}

export function streamFarJitter(stream: usize): u32 {
  return load<u32>(stream, ST_FAR_JITTER);
}

/** ms, -1 = unknown. */
export function streamFarJitterMs(stream: usize): f64 {
  const rate = load<u32>(stream, ST_OUT_RATE);
  if (load<f64>(stream, ST_FAR_US) == 0 || rate == 0) return -1;
  return ((load<u32>(stream, ST_FAR_JITTER) as f64) * 1000) / (rate as f64);
}

/** Round trip to the receiver, µs; -1 = unknown. */
export function streamRttUs(stream: usize): f64 {
  return load<f64>(stream, ST_RTT_US);
}
