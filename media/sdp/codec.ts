/** The codecs that pass the switch: one table, from which lookups are derived. Nothing is transcoded. */

/** Encoding name, clock rate, and channels if more than one. */
export type CodecKey =
  | 'opus/48000/2'
  | 'G722/8000'
  | 'PCMU/8000'
  | 'PCMA/8000'
  | 'telephone-event/48000'
  | 'telephone-event/8000';

/** What is known of a codec, whoever offers it. */
export interface CodecKind {
  key: CodecKey;
  /** Encoding name as registered. */
  name: string;
  /** RTP clock rate, Hz; G722's is 8000 though it samples at 16 kHz (RFC 3551 4.5.2). */
  clockRate: number;
  channels: number;
  /** Payload type of RFC 3551 table 4, null for dynamic ones. */
  staticPt: number | null;
  /** Payload type when nobody has named one: what Chromium uses, so that its later offers agree with it. */
  defaultPt: number;
  /** Signals beside the audio (RFC 4733): not a codec to talk with. */
  event: boolean;
}

const audio = { channels: 1, event: false };
const event = { name: 'telephone-event', channels: 1, staticPt: null, event: true };

/** All codecs that pass. */
export const CODECS: readonly CodecKind[] = [
  {
    key: 'opus/48000/2',
    name: 'opus',
    clockRate: 48_000,
    channels: 2,
    staticPt: null,
    defaultPt: 111,
    event: false,
  },
  { ...audio, key: 'G722/8000', name: 'G722', clockRate: 8_000, staticPt: 9, defaultPt: 9 },
  { ...audio, key: 'PCMU/8000', name: 'PCMU', clockRate: 8_000, staticPt: 0, defaultPt: 0 },
  { ...audio, key: 'PCMA/8000', name: 'PCMA', clockRate: 8_000, staticPt: 8, defaultPt: 8 },
  { ...event, key: 'telephone-event/48000', clockRate: 48_000, defaultPt: 110 },
  { ...event, key: 'telephone-event/8000', clockRate: 8_000, defaultPt: 126 },
];

/** A codec as one party describes it. */
export interface Codec {
  kind: CodecKind;
  /** Payload type, 0..127. */
  pt: number;
  /** Format parameters as written, '' when there are none. */
  fmtp: string;
}

/** The codec of an rtpmap; encoding names compare without case, one channel is the default (RFC 8866 6.6). */
export function findCodec(name: string, clockRate: number, channels: number): CodecKind | undefined {
  const lower = name.toLowerCase();
  return CODECS.find(
    (kind) => kind.name.toLowerCase() === lower && kind.clockRate === clockRate && kind.channels === channels,
  );
}

/** The codec of a payload type that needs no rtpmap (RFC 3551 6). */
export function findStaticCodec(pt: number): CodecKind | undefined {
  return CODECS.find((kind) => kind.staticPt === pt);
}

/** The codec of the same kind in a list. */
export function codecIn(codecs: readonly Codec[], kind: CodecKind): Codec | undefined {
  return codecs.find((codec) => codec.kind.key === kind.key);
}

const FIRST_DYNAMIC_PT = 96;
const LAST_DYNAMIC_PT = 127;

/**
 * A payload type for every codec of the table: those of `offered`, else the default, else a free dynamic one.
 * They hold for the life of the call, as a payload type must not change its meaning in a session (RFC 3264 8.3.2).
 */
export function assignPayloadTypes(offered: readonly Codec[]): Map<CodecKey, number> {
  const assigned = new Map<CodecKey, number>();
  const taken = new Set<number>();
  const assign = (key: CodecKey, pt: number) => {
    assigned.set(key, pt);
    taken.add(pt);
  };
  for (const { kind, pt } of offered) if (!assigned.has(kind.key) && !taken.has(pt)) assign(kind.key, pt);
  for (const kind of CODECS) {
    if (assigned.has(kind.key)) continue;
    let pt = kind.defaultPt;
    if (taken.has(pt)) pt = FIRST_DYNAMIC_PT;
    while (taken.has(pt)) pt++;
    if (pt > LAST_DYNAMIC_PT) throw new RangeError('more codecs than payload types');
    assign(kind.key, pt);
  }
  return assigned;
}
