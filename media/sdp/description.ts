/** Session descriptions as the switch sees them: what parse.ts reads and write.ts writes. */
import type { SdpVariant } from '../protocol.ts';
import type { Codec } from './codec.ts';
import type { Direction } from './direction.ts';

/** Role in the DTLS handshake (RFC 5763 5, RFC 8842). */
export type DtlsSetup = 'actpass' | 'active' | 'passive';

/** Hash of the certificate that DTLS will show (RFC 8122). */
export interface Fingerprint {
  /** Hash function in lower case, such as `sha-256`. */
  algorithm: string;
  /** Hex pairs with colons. */
  value: string;
}

/** What a WebRTC party says beyond plain RTP. */
export interface RemoteWebRtc {
  iceUfrag: string;
  fingerprint: Fingerprint;
  setup: DtlsSetup;
  /** SSRC the party sends with (RFC 5576); null when it doesn't say. */
  ssrc: number | null;
  /** Id of the MID header extension (RFC 8843 15), null without. */
  midExtension: number | null;
}

/** The audio stream of a description that came in. */
export interface RemoteAudio {
  variant: SdpVariant;
  protocol: string;
  /** IP address of the connection line; null when it is a name, or 0.0.0.0 or :: (hold as in RFC 2543). */
  address: string | null;
  port: number;
  /** The same as `port` with rtcp-mux, else of the rtcp attribute (RFC 3605), else the next. */
  rtcpPort: number;
  rtcpMux: boolean;
  direction: Direction;
  /** Those the switch knows, in order of preference. */
  codecs: Codec[];
  ptime: number | null;
  maxptime: number | null;
  mid: string | null;
  /** For the variant `webrtc`. */
  webrtc: RemoteWebRtc | null;
}

/** One m-line, as much as is needed to answer it with port 0 (RFC 3264 6). */
export interface MediaLine {
  type: string;
  protocol: string;
  /** The formats as written. */
  formats: string;
  mid: string | null;
}

/** A description that came in. */
export interface RemoteDescription {
  lines: MediaLine[];
  /** Index of the audio line that is used, -1 when none can be. */
  audioIndex: number;
  audio: RemoteAudio | null;
  /** Why no audio line can be used; '' when one is. */
  unusable: string;
}

/** An ICE candidate of ours, host type (RFC 8839 5.1). */
export interface LocalCandidate {
  foundation: string;
  priority: number;
  address: string;
  port: number;
  protocol: 'udp' | 'tcp';
}

/** What a browser is told beyond plain RTP. */
export interface LocalWebRtc {
  iceUfrag: string;
  icePwd: string;
  candidates: LocalCandidate[];
  fingerprints: Fingerprint[];
  setup: DtlsSetup;
  /** Id of the MID header extension that the party may use, null without. */
  midExtension: number | null;
  /** Name of the stream in msid (RFC 8830). */
  stream: string;
}

/** The audio stream of a description that goes out. */
export interface LocalAudio {
  protocol: string;
  port: number;
  rtcpMux: boolean;
  direction: Direction;
  codecs: Codec[];
  ptime: number | null;
  maxptime: number | null;
  webrtc: LocalWebRtc | null;
}

/** A description that goes out. */
export interface LocalDescription {
  /** Decimal digits. */
  sessionId: string;
  /** One more than that of the description before it in this dialog, unless nothing changed (RFC 3264 8). */
  version: number;
  /** IP address of the connection line. */
  address: string;
  lines: MediaLine[];
  audioIndex: number;
  /** null: the audio is refused too. */
  audio: LocalAudio | null;
}
