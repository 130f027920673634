/** The parts of sdp-transform that are used here; the package has no types. Digits arrive as numbers. */
declare module 'sdp-transform' {
  type Text = string | number;

  interface Connection {
    version: number;
    ip: Text;
  }
  /** Attributes that may stand at session or media level. */
  interface Shared {
    connection?: Connection;
    direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
    iceUfrag?: Text;
    icePwd?: Text;
    fingerprint?: { type: string; hash: string };
    setup?: string;
    icelite?: string;
    ext?: { value: number; uri: string; direction?: string }[];
  }
  interface Candidate {
    foundation: Text;
    component: number;
    transport: string;
    priority: number;
    ip: string;
    port: number;
    type: string;
    tcptype?: string;
  }
  interface MediaSection extends Shared {
    type: string;
    port: number;
    protocol: string;
    payloads?: Text;
    rtp: { payload: number; codec: Text; rate?: Text; encoding?: Text }[];
    fmtp: { payload: number; config: Text }[];
    rtcp?: { port: number; netType?: string; ipVer?: number; address?: Text };
    rtcpMux?: string;
    rtcpRsize?: string;
    ptime?: Text;
    maxptime?: Text;
    mid?: Text;
    msid?: { id: Text; appdata?: Text }[];
    ssrcs?: { id: number; attribute?: string; value?: Text }[];
    candidates?: Candidate[];
    endOfCandidates?: string;
  }
  interface Session extends Shared {
    version: number;
    origin?: {
      username: Text;
      sessionId: Text;
      sessionVersion: Text;
      netType: string;
      ipVer: number;
      address: Text;
    };
    name?: Text;
    timing?: { start: number; stop: number };
    groups?: { type: string; mids: Text }[];
    msidSemantic?: { semantic: string; token: string };
    media: MediaSection[];
  }

  const sdpTransform: {
    parse(sdp: string): Session;
    write(session: Session): string;
  };
  export default sdpTransform;
  export type { Candidate, MediaSection, Session };
}
