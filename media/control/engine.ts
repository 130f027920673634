/** What calls need of the machinery that moves packets; mediasoup/ implements it, tests fake it. */
import type { MediaPath, SdpVariant } from '../protocol.ts';
import type { Fingerprint, LocalCandidate, RemoteAudio } from '../sdp/description.ts';
import type { CodecMapping, RouterPts } from './agreement.ts';

/** Where a plain party sends to. */
export interface PlainLocal {
  variant: 'plain';
  rtpPort: number;
}
/** How a browser connects. */
export interface WebRtcLocal {
  variant: 'webrtc';
  iceUfrag: string;
  icePwd: string;
  candidates: LocalCandidate[];
  fingerprints: Fingerprint[];
}

/** What is to pass between a party and the Router. */
export interface Flow {
  remote: RemoteAudio;
  /** Addresses from which media is believed. */
  vouched: string[];
  /** Both sides have agreed to rtcp-mux (RFC 5761). */
  rtcpMux: boolean;
  /** From the party; the codec it talks with comes first. Empty: it was refused. */
  receive: CodecMapping[];
  send: CodecMapping[];
  receiveEnabled: boolean;
  sendEnabled: boolean;
}

/** Counters of an endpoint. */
export interface EndpointStats {
  /** Who carries its media to the other party. */
  path: MediaPath;
  localPort: number | null;
  /** `address:port`, null until media or ICE came from somewhere. */
  remote: string | null;
  packetsIn: number;
  packetsOut: number;
  /** Percent of the packets from the party that were lost. */
  lossPct: number;
  jitterMs: number;
  rttMs: number | null;
}

/** Where one party is connected: a port pair of the edge, or a WebRTC transport. */
export interface Endpoint {
  readonly variant: SdpVariant;
  /** Can change with `prepare`, or when a worker was replaced. */
  readonly local: PlainLocal | WebRtcLocal;
  /** Makes ready for an offer from the party: a browser may have restarted ICE or come with new keys. */
  prepare(remote: RemoteAudio): Promise<void>;
  stats(): Promise<EndpointStats>;
  /** Packets, or bytes, that came from the party so far: grows while it talks. */
  received(): Promise<number>;
}

/** One end of a bridge; a flow of null means silence. */
export interface BridgeEnd {
  endpoint: Endpoint;
  flow: Flow | null;
}

/** The media of one call. Everything may be repeated: what is already so is left alone. */
export interface CallMedia {
  /** Called when ends towards browsers have lost their transports and got others, of which the browsers must be told. */
  onReplaced: (endpoints: Endpoint[]) => void;
  /** @throws MediaFull when there are no ports. */
  open(variant: SdpVariant): Promise<Endpoint>;
  /** As before the process was started again: an end towards a phone with its port. @throws when the port is taken */
  reopen(local: { variant: SdpVariant; rtpPort: number }): Promise<Endpoint>;
  /** Each of the two hears the other, as far as the flows allow, and nobody else. */
  bridge(a: BridgeEnd, b: BridgeEnd): Promise<void>;
  /** What should pass at this end, between the same two. */
  change(endpoint: Endpoint, flow: Flow): Promise<void>;
  /** Silence, both ways. */
  silence(endpoint: Endpoint): Promise<void>;
  release(endpoint: Endpoint): Promise<void>;
  /** Gives everything back. */
  close(): Promise<void>;
}

/** Opens the media of calls. */
export interface Engine {
  /** Address that is written into descriptions. */
  readonly announcedAddress: string;
  openCall(pts: RouterPts): CallMedia;
}

/** Nothing free: ports, legs, workers. */
export class MediaFull extends Error {
  override readonly name = 'MediaFull';
}
