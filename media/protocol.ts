/**
 * Messages between a signalling node and the media process.
 *
 * Framing: u32 big-endian length, then that many bytes of UTF-8 JSON (at most FRAME_BYTES_MAX) over a Unix
 * domain socket (or TCP). Requests carry `id`; the answer repeats it. Events have no `id`.
 * Every command carries the lease epoch of its node; the media process refuses every epoch but that of the node that
 * holds the lease (`status` 409, with the newest epoch). Commands are idempotent by call, leg, method, CSeq and status:
 * the same one again gives the same answer and changes nothing.
 *
 * A node that is active does not close its connection, but by dying: its lease is free then (docs/availability.md).
 */

export const MEDIA_PROTOCOL_VERSION = 3;
export const FRAME_BYTES_MAX = 1 << 20;
/** Calls in one {@link KeepRequest}. */
export const KEEP_CALLS_MAX = 4_096;

/** `plain`: RTP/AVP towards phones and trunks; `webrtc`: UDP/TLS/RTP/SAVPF, ICE-lite, towards browsers. */
export type SdpVariant = 'plain' | 'webrtc';

/** Who carries a leg's media to the other one: the RTP edge by itself, or mediasoup. */
export type MediaPath = 'edge' | 'mediasoup';

/** First message on a connection; commands nothing yet. Answer: {@link HelloReply}. */
export interface HelloRequest {
  op: 'hello';
  id: number;
  v: number;
  node: string;
  /** How long a lease lasts for this node; refused when the media process would give it to another one earlier. */
  leaseMs: number;
}
export interface HelloReply {
  id: number;
  status: number;
  v: number;
  /** Newest epoch granted, 0 = none. */
  epoch: number;
  /** Nobody has the lease: whoever asks gets it. */
  free: boolean;
  pid: number;
  workers: { pid: number }[];
  /** Calls of the process before this one, of which the active node has to say by {@link KeepRequest} which there still are. */
  restored: number;
}

/**
 * Asks for the next epoch (`epoch`: the newest that the node has heard of), renews the lease of an epoch, or releases it. A renewal
 * is also how the holder makes itself known to a media process that was started again. Answer: {@link LeaseReply}.
 */
export interface LeaseRequest {
  op: 'lease';
  id: number;
  want: 'ask' | 'renew' | 'release';
  epoch: number;
}
export interface LeaseReply {
  id: number;
  /** 200 or 409. */
  status: number;
  /** The epoch granted; refused, the newest one. */
  epoch: number;
}

/**
 * First command of a node that has become active: the calls that it knows. All others are closed, and their names forgotten, as
 * the node gives them again. In parts of at most {@link KEEP_CALLS_MAX}, nothing between them. Answer: {@link PlainReply}.
 */
export interface KeepRequest {
  op: 'keep';
  id: number;
  epoch: number;
  calls: string[];
  last: boolean;
  /** Only calls of the process before this one are closed; the node has been active before. */
  restored: boolean;
}

/**
 * An SDP body on its way through the switch: an offer or an answer, which of the two is decided from
 * the state of the call (RFC 3264, RFC 6337).
 */
export interface SdpRequest {
  op: 'sdp';
  id: number;
  epoch: number;
  /** Call, as `slot.generation`. */
  call: string;
  /** Leg the body comes from: 0 the caller, 1 + branch index a callee. */
  leg: number;
  legVariant: SdpVariant;
  /** Leg the body goes to; 255 for an initial INVITE that may fork. */
  targetLeg: number;
  /** Variants in which the body is wanted (several when forking to phones and browsers). */
  targetVariants: SdpVariant[];
  /** Method of the request, or of the CSeq of the response. */
  method: string;
  cseq: number;
  /** 0 for a request, the status code for a response. */
  status: number;
  sdp: string;
  /** Address that the leg's signalling came from: media is latched only from it or from the address in its SDP. */
  source: string;
}
export interface SdpReply {
  id: number;
  /** 200, or the SIP status with which the switch should refuse: 400 malformed, 488 no common codec, 500, 503. */
  status: number;
  reason?: string;
  bodies?: Partial<Record<SdpVariant, string>>;
}

export interface CloseLegRequest {
  op: 'closeLeg';
  id: number;
  epoch: number;
  call: string;
  leg: number;
}
export interface CloseCallRequest {
  op: 'closeCall';
  id: number;
  epoch: number;
  call: string;
}
/** What became of an {@link OfferEvent}. Answer: {@link PlainReply}. */
export interface OfferedRequest {
  op: 'offered';
  id: number;
  epoch: number;
  call: string;
  leg: number;
  /** `id` of the event. */
  offer: number;
  /** SIP status: 2xx with the answer, 481 there is no such call or leg, 503 no room now, else the leg has refused it. */
  status: number;
  /** '' without an answer. */
  sdp: string;
}
/** Answers with {@link StatsReply}; without `call`, only the totals. */
export interface StatsRequest {
  op: 'stats';
  id: number;
  epoch: number;
  call?: string;
}

export interface LegStats {
  leg: number;
  variant: SdpVariant;
  /** 'udp' for plain legs, 'webrtc' else. */
  transport: string;
  path: MediaPath;
  /** Codec in use, such as 'PCMU/8000' or 'opus/48000/2'; null before the answer. */
  codec: string | null;
  /** Local port of a plain leg's RTP; null for webrtc. */
  localPort: number | null;
  /** Where media comes from, once latched: `address:port`. */
  remote: string | null;
  packetsIn: number;
  packetsOut: number;
  /** Fraction of packets lost on the way from this leg to the switch, in percent 0..100 (RFC 3550 6.4.1). */
  lossPct: number;
  /** Interarrival jitter, ms (RFC 3550 6.4.1, A.8). */
  jitterMs: number;
  /** Round trip to this leg, ms (RFC 3550 6.4.1), null until an RTCP report came. */
  rttMs: number | null;
  /** Estimated mean opinion score 1..4.5 (ITU-T G.107 E-model), null before enough packets. */
  mos: number | null;
  held: boolean;
}
export interface MediaTotals {
  calls: number;
  legs: number;
  plainLegs: number;
  webrtcLegs: number;
  /** Port pairs of the edge in use and in all. */
  portsUsed: number;
  portsMax: number;
  /** RTP packets of plain legs, those that have ended included. */
  packetsIn: number;
  packetsOut: number;
  /** Dropped by the edge, by cause. */
  dropped: Record<string, number>;
  workers: { pid: number; routers: number; restarts: number }[];
}
export interface StatsReply {
  id: number;
  status: number;
  totals: MediaTotals;
  legs?: LegStats[];
}
export interface PlainReply {
  id: number;
  status: number;
  reason?: string;
  /** With status 409: the newest epoch. */
  epoch?: number;
}

/** Nobody has the lease any more: a node that waits for it may ask. Goes to all nodes. */
export interface LeaseFreeEvent {
  event: 'leaseFree';
}

/** No media came on any leg of the call for the configured time. */
export interface MediaTimeoutEvent {
  event: 'mediaTimeout';
  call: string;
}
/**
 * A leg has lost its transport and got another one: it needs an offer from the switch, with this body. Told again every few
 * seconds, and to each node that becomes active, until {@link OfferedRequest} comes.
 */
export interface OfferEvent {
  event: 'offer';
  /** 1 to 2^31 - 1, another one for each offer. */
  id: number;
  call: string;
  leg: number;
  sdp: string;
}
/** A mediasoup worker died and was replaced. */
export interface WorkerReplacedEvent {
  event: 'workerReplaced';
  diedPid: number;
  pid: number;
  /** Plain legs that go on, and browsers' legs that are silent until they are renegotiated. */
  legsMoved: number;
  webrtcLegsLost: number;
  /** How long plain legs had no path, ms. */
  gapMs: number;
}

/** What only the holder of the lease may say. */
export type MediaCommand =
  | KeepRequest
  | SdpRequest
  | OfferedRequest
  | CloseLegRequest
  | CloseCallRequest
  | StatsRequest;
export type MediaRequest = HelloRequest | LeaseRequest | MediaCommand;
export type MediaReply = HelloReply | LeaseReply | SdpReply | StatsReply | PlainReply;
/** Goes to the node that holds the lease. */
export type MediaEvent = MediaTimeoutEvent | OfferEvent | WorkerReplacedEvent;
