/** Live quality of a call, from successive `RTCPeerConnection.getStats()` reports (W3C webrtc-stats). */
import { codecImpairment, type Grade, grade, mosOf, rating } from './emodel.ts';

/** What is read from one report; counters are cumulative. */
export interface StatsSample {
  /** When the report was made, ms. */
  atMs: number;
  /** Source that is heard; its counters begin anew when it changes. 0 before media. */
  ssrc: number;
  packetsReceived: number;
  packetsLost: number;
  packetsSent: number;
  bytesReceived: number;
  bytesSent: number;
  /** Interarrival jitter of what we hear, ms (RFC 3550 6.4.1). */
  jitterMs: number;
  /** Sum over all played samples of the time they waited in the jitter buffer, s, and how many samples. */
  bufferDelayS: number;
  bufferCount: number;
  /** Round trip, ms: from the other end's receiver reports, else from ICE checks; null until one came. */
  rttMs: number | null;
  /** Fraction of what we sent that the other end reports lost since its last report, percent; null until it did. */
  sentLossPct: number | null;
  /** `opus/48000/2`; null before media. */
  codec: string | null;
}

/** What is shown. Percentages are 0..100. */
export interface Quality {
  codec: string | null;
  /** Loss of what we hear, over the last {@link WINDOW_MS}. */
  lossPct: number;
  sentLossPct: number | null;
  jitterMs: number;
  rttMs: number | null;
  /** Mean time in the jitter buffer, over the window. */
  bufferMs: number;
  /** kbit/s of RTP payload, over the window. */
  receivedKbps: number;
  sentKbps: number;
  packetsReceived: number;
  packetsSent: number;
  /** Estimated mean opinion score 1..4.5 of what we hear (E-model); null before {@link PACKETS_MIN} packets. */
  mos: number | null;
  grade: Grade | null;
}

/** Loss and rates are means over this long. */
export const WINDOW_MS = 8_000;
/** Fewer packets than this (half a second of 20 ms frames) say nothing. */
export const PACKETS_MIN = 25;
/** One frame of speech has to be complete before it is sent, ms. */
const PACKETIZATION_MS = 20;

type Entry = Record<string, unknown> & { id: string; type: string };

const numberOf = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0;

function codecName(codec: Entry | undefined): string | null {
  if (typeof codec?.mimeType !== 'string') return null;
  const channels = numberOf(codec.channels);
  return [
    codec.mimeType.replace(/^audio\//i, ''),
    numberOf(codec.clockRate),
    ...(channels > 1 ? [channels] : []),
  ].join('/');
}

/** The stream that is heard now: after a re-INVITE the report may keep one that has ended. */
function latestInbound(entries: Entry[]): Entry | undefined {
  const heard = (entry: Entry) => numberOf(entry.lastPacketReceivedTimestamp);
  return entries
    .filter((entry) => entry.type === 'inbound-rtp' && entry.kind === 'audio')
    .reduce<Entry | undefined>(
      (best, entry) => (best && heard(best) >= heard(entry) ? best : entry),
      undefined,
    );
}

/** The ICE pair in use: what the transport says is selected, else the nominated one that works. */
function selectedPair(entries: Entry[]): Entry | undefined {
  const id = entries.find((entry) => entry.type === 'transport')?.selectedCandidatePairId;
  const pairs = entries.filter((entry) => entry.type === 'candidate-pair');
  return (
    pairs.find((pair) => pair.id === id) ??
    pairs.find((pair) => pair.nominated === true && pair.state === 'succeeded')
  );
}

/** Milliseconds of a round trip that was measured, null where none was. */
function roundTripMs(remote: Entry | undefined, pair: Entry | undefined): number | null {
  for (const seconds of [remote?.roundTripTime, pair?.currentRoundTripTime]) {
    if (typeof seconds === 'number' && Number.isFinite(seconds)) return seconds * 1000;
  }
  return null;
}

/** Reads a report. Only audio counts. */
export function readStats(report: Iterable<[string, unknown]>): StatsSample {
  const entries = Array.from(report, ([, entry]) => entry as Entry);
  const audio = (type: string) => entries.find((entry) => entry.type === type && entry.kind === 'audio');
  const inbound = latestInbound(entries);
  const outbound = audio('outbound-rtp');
  const remote = audio('remote-inbound-rtp');
  const codecId = inbound?.codecId ?? outbound?.codecId;
  return {
    atMs: numberOf((inbound ?? outbound ?? entries[0])?.timestamp),
    ssrc: numberOf(inbound?.ssrc),
    packetsReceived: numberOf(inbound?.packetsReceived),
    packetsLost: numberOf(inbound?.packetsLost),
    packetsSent: numberOf(outbound?.packetsSent),
    bytesReceived: numberOf(inbound?.bytesReceived),
    bytesSent: numberOf(outbound?.bytesSent),
    jitterMs: numberOf(inbound?.jitter) * 1000,
    bufferDelayS: numberOf(inbound?.jitterBufferDelay),
    bufferCount: numberOf(inbound?.jitterBufferEmittedCount),
    rttMs: roundTripMs(remote, selectedPair(entries)),
    sentLossPct: typeof remote?.fractionLost === 'number' ? remote.fractionLost * 100 : null,
    codec: codecName(entries.find((entry) => entry.id === codecId)),
  };
}

/** Change of a cumulative counter; it may fall (duplicates lower `packetsLost`), which counts as none. */
const rise = (from: number, to: number): number => Math.max(0, to - from);

/** What happened between two samples of the same connection. */
export function measure(from: StatsSample, to: StatsSample): Quality {
  const received = rise(from.packetsReceived, to.packetsReceived);
  const lost = rise(from.packetsLost, to.packetsLost);
  const lossPct = received + lost === 0 ? 0 : (100 * lost) / (received + lost);
  const played = rise(from.bufferCount, to.bufferCount);
  const bufferMs = played === 0 ? 0 : (1000 * rise(from.bufferDelayS, to.bufferDelayS)) / played;
  const spanMs = Math.max(1, to.atMs - from.atMs);
  const kbps = (bytesFrom: number, bytesTo: number) => (8 * rise(bytesFrom, bytesTo)) / spanMs;
  const delayMs = (to.rttMs ?? 0) / 2 + bufferMs + PACKETIZATION_MS;
  const r = rating(delayMs, lossPct, codecImpairment(to.codec?.split('/')[0] ?? ''));
  const known = received + lost >= PACKETS_MIN;
  return {
    codec: to.codec,
    lossPct,
    sentLossPct: to.sentLossPct,
    jitterMs: to.jitterMs,
    rttMs: to.rttMs,
    bufferMs,
    receivedKbps: kbps(from.bytesReceived, to.bytesReceived),
    sentKbps: kbps(from.bytesSent, to.bytesSent),
    packetsReceived: to.packetsReceived,
    packetsSent: to.packetsSent,
    mos: known ? mosOf(r) : null,
    grade: known ? grade(r) : null,
  };
}

/** Keeps the samples of the window of one call. */
export class QualityMonitor {
  #samples: StatsSample[] = [];

  /** @returns the quality over the window that ends with `sample` */
  add(sample: StatsSample): Quality {
    if (this.#samples.at(-1)?.ssrc !== sample.ssrc) this.#samples = [];
    this.#samples.push(sample);
    while (this.#samples.length > 2 && sample.atMs - this.#samples[1]!.atMs >= WINDOW_MS)
      this.#samples.shift();
    return measure(this.#samples[0]!, sample);
  }
}
