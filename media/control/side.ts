/**
 * The switch's side of one dialog: the endpoint that the party is connected to, and the descriptions the switch has
 * sent in the dialog. The shape of the m-lines is kept, as it may never shrink (RFC 3264 section 8).
 */
import { randomInt } from 'node:crypto';
import type { SdpVariant } from '../protocol.ts';
import type { Codec } from '../sdp/codec.ts';
import type {
  LocalAudio,
  LocalWebRtc,
  MediaLine,
  RemoteAudio,
  RemoteDescription,
  RemoteWebRtc,
} from '../sdp/description.ts';
import type { Direction } from '../sdp/direction.ts';
import { writeSdp } from '../sdp/write.ts';
import type { Endpoint, Flow } from './engine.ts';

const PROTOCOLS: Record<SdpVariant, string> = { plain: 'RTP/AVP', webrtc: 'UDP/TLS/RTP/SAVPF' };
/** Id of the MID header extension that mediasoup writes into all packets. */
const MID_EXTENSION = 1;
/** sess-id fits a 32-bit signed integer, as some phones read it into one. */
const SESSION_ID_MAX = 2 ** 31;

/** What is said of the audio besides where it goes. */
export interface AudioTerms {
  codecs: Codec[];
  direction: Direction;
  ptime: number | null;
  maxptime: number | null;
}

/** A side as JSON. */
export interface SideState {
  variant: SdpVariant;
  /** Of a plain side, else 0. */
  rtpPort: number;
  leg: number | null;
  flow: Flow | null;
  isStale: boolean;
  terms: AudioTerms | null;
  address: string;
  sessionId: string;
  version: number;
  text: string;
  lines: MediaLine[];
  audioIndex: number;
  rtcpMux: boolean;
  midExtension: number | null;
}

/** One per dialog; while an INVITE forks, one per variant for all its branches. */
export class Side {
  readonly variant: SdpVariant;
  readonly endpoint: Endpoint;
  /** Leg whose answer or offer the flow is from; null before. */
  leg: number | null = null;
  /** What was agreed last; null before. */
  flow: Flow | null = null;
  /** Its party has been told of a transport that is gone, and can't be told of the new one yet. */
  isStale = false;
  #terms: AudioTerms | null = null;
  #address: string;
  #sessionId = String(randomInt(1, SESSION_ID_MAX));
  #version = 0;
  #text = '';
  #lines: MediaLine[];
  #audioIndex = 0;
  #rtcpMux = false;
  /** As agreed: ids must not change in a session (RFC 8285 5). */
  #midExtension: number | null = MID_EXTENSION;

  constructor(endpoint: Endpoint, announcedAddress: string) {
    this.variant = endpoint.variant;
    this.endpoint = endpoint;
    this.#address = announcedAddress;
    const mid = this.variant === 'webrtc' ? '0' : null;
    this.#lines = [{ type: 'audio', protocol: PROTOCOLS[this.variant], formats: '', mid }];
  }

  /** All that `Side.restore` needs. */
  get state(): SideState {
    const { local } = this.endpoint;
    return {
      variant: this.variant,
      rtpPort: local.variant === 'plain' ? local.rtpPort : 0,
      leg: this.leg,
      flow: this.flow,
      isStale: this.isStale,
      terms: this.#terms,
      address: this.#address,
      sessionId: this.#sessionId,
      version: this.#version,
      text: this.#text,
      lines: this.#lines,
      audioIndex: this.#audioIndex,
      rtcpMux: this.#rtcpMux,
      midExtension: this.#midExtension,
    };
  }

  /** The side as it was, at another endpoint of the same variant. */
  static restore(endpoint: Endpoint, state: SideState): Side {
    const side = new Side(endpoint, state.address);
    side.leg = state.leg;
    side.flow = state.flow;
    side.isStale = state.isStale;
    side.#terms = state.terms;
    side.#sessionId = state.sessionId;
    side.#version = state.version;
    side.#text = state.text;
    side.#lines = state.lines;
    side.#audioIndex = state.audioIndex;
    side.#rtcpMux = state.rtcpMux;
    side.#midExtension = state.midExtension;
    return side;
  }

  /** Whether its party has been told of a transport. */
  get wasTold(): boolean {
    return this.#text !== '';
  }

  /** An offer of what is agreed already, over another transport; null when nothing is. */
  reoffer(): string | null {
    const { flow } = this;
    if (flow === null || this.#terms === null) return null;
    const agreed = new Set([...flow.send, ...flow.receive].map(({ partyPt }) => partyPt));
    const codecs = this.#terms.codecs.filter(({ pt }) => agreed.has(pt));
    return codecs.length === 0 ? null : this.offer({ ...this.#terms, codecs });
  }

  /** The offer to this party. */
  offer(terms: AudioTerms): string {
    this.#terms = terms;
    const protocol = this.#lines[this.#audioIndex]?.protocol ?? PROTOCOLS[this.variant];
    const rtcpMux = this.variant === 'webrtc' || this.#rtcpMux;
    return this.#write({ ...terms, ...this.#transport('actpass'), protocol, rtcpMux });
  }

  /** Whether rtcp-mux is agreed when this party's answer is `audio`: it must have been offered. */
  muxesWith(audio: RemoteAudio): boolean {
    return (this.variant === 'webrtc' || this.#rtcpMux) && audio.rtcpMux;
  }

  /** The answer to this party's offer; `terms` null refuses its audio. */
  answer(offer: RemoteDescription, terms: AudioTerms | null): string {
    this.#lines = offer.lines;
    this.#audioIndex = offer.audioIndex;
    const { audio } = offer;
    this.#terms = terms;
    if (terms === null || audio === null) return this.#write(null);
    this.#rtcpMux = audio.rtcpMux;
    const setup = audio.webrtc?.setup === 'passive' ? 'active' : 'passive';
    this.#midExtension = audio.webrtc && midExtension(audio.webrtc);
    return this.#write({
      ...terms,
      ...this.#transport(setup),
      protocol: audio.protocol,
      rtcpMux: audio.rtcpMux,
    });
  }

  #transport(setup: LocalWebRtc['setup']): Pick<LocalAudio, 'port' | 'webrtc'> {
    const { local } = this.endpoint;
    if (local.variant === 'plain') return { port: local.rtpPort, webrtc: null };
    const { iceUfrag, icePwd, candidates, fingerprints } = local;
    const port =
      candidates.find((candidate) => candidate.protocol === 'udp')?.port ?? candidates[0]?.port ?? 9;
    const stream = `strowger-${this.#sessionId}`;
    const webrtc = { iceUfrag, icePwd, candidates, fingerprints, setup, stream };
    return { port, webrtc: { ...webrtc, midExtension: this.#midExtension } };
  }

  /** The version grows only with a change. */
  #write(audio: LocalAudio | null): string {
    const write = () =>
      writeSdp({
        sessionId: this.#sessionId,
        version: this.#version,
        address: this.#address,
        lines: this.#lines,
        audioIndex: this.#audioIndex,
        audio,
      });
    if (write() !== this.#text) this.#version++;
    this.#text = write();
    return this.#text;
  }
}

/**
 * Once MID is agreed, Chromium drops packets without it; with mediasoup's fixed id that would be all of them, unless
 * the browser has offered the same id. A browser that names no SSRC can be told by MID only.
 */
function midExtension({ ssrc, midExtension: offered }: RemoteWebRtc): number | null {
  return offered === MID_EXTENSION || ssrc === null ? offered : null;
}
