/**
 * What the RTP edge offers to media control. The edge owns the UDP ports of plain legs: it latches the source of a
 * leg's media, maps SSRC and payload types, and exchanges packets with mediasoup over one loopback socket. From packets
 * towards a phone it removes the RTP header extension (RFC 3550 5.3.1): mediasoup writes one with a MID into every
 * packet, whatever was negotiated, and plain legs negotiate none.
 */

export interface EdgeOptions {
  /** IP address on which the ports of legs are opened. */
  address: string;
  /** First and last UDP port; each leg takes an even port for RTP and the next one for RTCP. */
  portMin: number;
  portMax: number;
  /** Legs at the same time at most. */
  legsMax: number;
  /** Time that a packet may take here, µs; at high load half of it is spent to let others gather. Default 0: none is. */
  batchBudgetUs?: number;
  onEvent: (event: EdgeEvent) => void;
  /** The compiled packet core. Default: build/edge.wasm. */
  wasm?: Uint8Array;
}

/** Address and port of a UDP socket. */
export interface EdgeAddress {
  address: string;
  port: number;
}

/** Where the phone wants its media, from its SDP; used until its own media has been latched. */
export interface EdgeRemote {
  address: string;
  rtpPort: number;
  /** The same as `rtpPort` with rtcp-mux. */
  rtcpPort: number;
  rtcpMux: boolean;
}

/** Replaces the whole configuration of a leg. */
export interface EdgeLegConfig {
  /** IP addresses from which media may be latched: the source of the signalling, the address in the SDP. */
  vouched: string[];
  remote: EdgeRemote | null;
  /** SSRC written on packets towards mediasoup. */
  inSsrc: number;
  /** Payload types from the phone: as it writes them, as the Router knows them. Others are dropped. */
  inPts: [phonePt: number, routerPt: number][];
  /** Payload types to the phone: as the Router writes them, as the phone knows them. Others are dropped. */
  outPts: [routerPt: number, phonePt: number][];
  /** RTP clock rate in Hz of each payload type that the phone uses, for jitter. */
  clockRates: [phonePt: number, clockRate: number][];
  /** The PlainTransport of this leg; null while there is none. */
  mediasoup: { ip: string; port: number } | null;
  /**
   * Id of the leg that hears this one inside the edge, and is heard: both must name each other. Media then doesn't go to
   * mediasoup. null: none.
   */
  peer: number | null;
  /** For how long after this a source may be latched, ms. */
  latchWindowMs: number;
  /** Packets go to the phone. */
  sendEnabled: boolean;
  /** Packets from the phone go to the other side. */
  receiveEnabled: boolean;
}

export interface EdgeLeg {
  readonly id: number;
  readonly rtpPort: number;
  readonly rtcpPort: number;
  /** @throws when the leg was freed, or a value is out of range. */
  configure(config: EdgeLegConfig): Promise<void>;
  /** Gives the ports back; a second call does nothing. */
  free(): Promise<void>;
}

/** Counters of a leg since it was allocated. */
export interface EdgeLegStats {
  id: number;
  /** Latched source of RTP as `address:port`, null before. */
  remote: string | null;
  /** RTP packets from the phone that were accepted, and sent to it. */
  packetsIn: number;
  packetsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Packets lost on the way from the phone (RFC 3550 6.4.1, A.3), and those expected. */
  lost: number;
  expected: number;
  /** Interarrival jitter, ms (RFC 3550 A.8). */
  jitterMs: number;
  /** Round trip, ms (RFC 3550 6.4.1); null until a report came. */
  rttMs: number | null;
  /** Milliseconds since the last accepted packet; null before the first. */
  idleMs: number | null;
  /** What the phone's last report says of our packets (RFC 3550 6.4.1): lost since the one before, percent 0..100. */
  farLossPct?: number | null;
  /** The same: jitter, ms. */
  farJitterMs?: number | null;
}

export interface EdgeTotals {
  legs: number;
  legsMax: number;
  packetsIn: number;
  packetsOut: number;
  /** Dropped packets by cause. */
  dropped: Record<string, number>;
}

/** The edge thread can't be kept running: nothing passes any more. */
export interface EdgeFailedEvent {
  type: 'failed';
  message: string;
}

/** A datagram as the edge received it. */
export interface EdgeDatagram {
  /** Slot of the leg's socket, doubled, plus 1 for its RTCP port; 0xffffffff: the socket towards mediasoup. */
  token: number;
  address: string;
  port: number;
  bytes: Uint8Array;
}

/**
 * The edge thread failed and was begun anew with the same ports and configurations; its counters start again
 * from 0. `batch`: the datagrams that it was working on, the offending one among them.
 */
export interface EdgeRestartedEvent {
  type: 'restarted';
  message: string;
  batch: EdgeDatagram[];
}
export type EdgeEvent = EdgeFailedEvent | EdgeRestartedEvent;

/** The edge as media control sees it; edge.ts implements it, tests fake it. */
export interface EdgePort {
  /** Local address and port of the socket towards mediasoup. */
  readonly mediasoupSide: EdgeAddress;
  /** @param rtpPort this one and the next; default: any. @throws when all ports are taken, or these. */
  allocate(rtpPort?: number): Promise<EdgeLeg>;
  /** Of the legs given, or of all. */
  stats(ids?: number[]): Promise<EdgeLegStats[]>;
  totals(): Promise<EdgeTotals>;
  close(): Promise<void>;
}
