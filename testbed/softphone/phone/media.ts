/**
 * Audio of one call: an RTCPeerConnection that sip.js negotiates through (RFC 3264 offers and answers, JSEP
 * RFC 8829). In place of sip.js's own handler because hold is the direction we want and nothing else, early
 * media has to survive forking, and an ICE-lite switch needs no waiting for candidates.
 */
import type { SessionDescriptionHandler } from 'sip.js/lib/api/session-description-handler.js';

/** What a call needs of its media; in tests another implementation stands in. */
export interface MediaPort extends SessionDescriptionHandler {
  /** Called when the remote stream, the path or the direction changed. */
  onChange: (() => void) | null;
  /** `none` before media, then what the peer connection says; `lost` may still recover, `failed` won't by itself. */
  readonly path: MediaPath;
  /** The other side asked us not to send. */
  readonly heldByRemote: boolean;
  readonly remoteStream: MediaStream | null;
  readonly localStream: MediaStream | null;
  /** What the next offer and every answer will ask for; true: `sendonly`, and we send silence. */
  hold: boolean;
  muted: boolean;
  /** The next offer restarts ICE (RFC 8445 2.4). */
  restartIce(): void;
  /** Applies the SDP of a provisional response; the final answer replaces it. */
  applyEarlyAnswer(sdp: string): Promise<void>;
  replaceMicrophone(track: MediaStreamTrack): Promise<void>;
  stats(): Promise<Iterable<[string, unknown]>>;
}

export type MediaPath = 'none' | 'connecting' | 'connected' | 'lost' | 'failed';

const PATHS: Record<RTCPeerConnectionState, MediaPath> = {
  new: 'none',
  connecting: 'connecting',
  connected: 'connected',
  disconnected: 'lost',
  failed: 'failed',
  closed: 'none',
};

export interface BrowserMediaOptions {
  /** A track of our own, which is stopped with the call. */
  microphone: () => Promise<MediaStreamTrack>;
  /** How long to wait for local candidates, ms. */
  gatheringMs?: number;
}

/** Host candidates are there at once; more are of no use to an ICE-lite peer, which learns ours from our checks. */
const GATHERING_MS = 300;
/** Length of a tone and of the silence after it, ms (RFC 4733 2.5; the defaults of W3C webrtc 7.1). */
const TONE_MS = 120;
const TONE_GAP_MS = 70;

export class BrowserMedia implements MediaPort {
  onChange: (() => void) | null = null;
  readonly localStream = new MediaStream();
  readonly remoteStream = new MediaStream();
  readonly #pc: RTCPeerConnection;
  readonly #options: BrowserMediaOptions;
  #wasConnected = false;
  #hold = false;
  #muted = false;

  constructor(options: BrowserMediaOptions) {
    this.#options = options;
    this.#pc = new RTCPeerConnection({
      iceServers: [],
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
    });
    this.#pc.addEventListener('connectionstatechange', () => {
      this.#wasConnected ||= this.#pc.connectionState === 'connected';
      this.onChange?.();
    });
    this.#pc.addEventListener('signalingstatechange', () => this.onChange?.());
    this.#pc.addEventListener('track', ({ track }) => this.#hear(track));
  }

  get path(): MediaPath {
    const path = PATHS[this.#pc.connectionState];
    // The switch has offered another transport, as ours is gone.
    return path === 'connecting' && this.#wasConnected ? 'lost' : path;
  }

  get heldByRemote(): boolean {
    const direction = this.#audio()?.currentDirection;
    return direction === 'recvonly' || (direction === 'inactive' && !this.#hold);
  }

  get hold(): boolean {
    return this.#hold;
  }

  set hold(on: boolean) {
    this.#hold = on;
    this.#silence();
  }

  get muted(): boolean {
    return this.#muted;
  }

  set muted(on: boolean) {
    this.#muted = on;
    this.#silence();
  }

  /** An offer when nothing is pending, else the answer to what {@link setDescription} brought. */
  async getDescription(): Promise<{ body: string; contentType: string }> {
    await this.#attachMicrophone();
    this.#direct();
    await this.#pc.setLocalDescription();
    await this.#gathered();
    return { body: this.#pc.localDescription!.sdp, contentType: 'application/sdp' };
  }

  hasDescription(contentType: string): boolean {
    return contentType.toLowerCase() === 'application/sdp';
  }

  async setDescription(sdp: string): Promise<void> {
    const answers =
      this.#pc.signalingState === 'have-local-offer' || this.#pc.signalingState === 'have-remote-pranswer';
    await this.#pc.setRemoteDescription({ type: answers ? 'answer' : 'offer', sdp });
  }

  async applyEarlyAnswer(sdp: string): Promise<void> {
    if (this.#pc.signalingState !== 'have-local-offer' && this.#pc.signalingState !== 'have-remote-pranswer')
      return;
    await this.#pc.setRemoteDescription({ type: 'pranswer', sdp });
  }

  async rollbackDescription(): Promise<void> {
    const { signalingState } = this.#pc;
    if (signalingState === 'have-local-offer') await this.#pc.setLocalDescription({ type: 'rollback' });
    if (signalingState === 'have-remote-offer') await this.#pc.setRemoteDescription({ type: 'rollback' });
  }

  /** @returns false when the other side takes no telephone-events: send an INFO instead */
  sendDtmf(tones: string): boolean {
    const dtmf = this.#audio()?.sender.dtmf;
    if (!dtmf?.canInsertDTMF) return false;
    dtmf.insertDTMF(dtmf.toneBuffer + tones, TONE_MS, TONE_GAP_MS);
    return true;
  }

  restartIce(): void {
    this.#pc.restartIce();
  }

  /** Takes over `track`; the old one is stopped. */
  async replaceMicrophone(track: MediaStreamTrack): Promise<void> {
    const sender = this.#audio()?.sender;
    if (!sender) return track.stop();
    await sender.replaceTrack(track);
    for (const old of this.localStream.getTracks()) {
      old.stop();
      this.localStream.removeTrack(old);
    }
    this.localStream.addTrack(track);
    this.#silence();
    this.onChange?.();
  }

  stats(): Promise<Iterable<[string, unknown]>> {
    return this.#pc.getStats();
  }

  close(): void {
    for (const track of this.localStream.getTracks()) track.stop();
    this.#pc.close();
    this.onChange?.();
  }

  #audio(): RTCRtpTransceiver | undefined {
    return this.#pc.getTransceivers().find(({ receiver }) => receiver.track.kind === 'audio');
  }

  /** addTrack takes the transceiver that an offer made, or makes one for ours (RFC 8829 4.1.2). */
  async #attachMicrophone(): Promise<void> {
    if (this.localStream.getTracks().length > 0) return;
    const track = await this.#options.microphone();
    if (this.#pc.signalingState === 'closed') return track.stop();
    this.localStream.addTrack(track);
    this.#pc.addTrack(track, this.localStream);
    this.#silence();
    this.onChange?.();
  }

  /** What we want; the browser intersects it with what was offered (RFC 8829 5.3.1). Video is declined. */
  #direct(): void {
    for (const transceiver of this.#pc.getTransceivers()) {
      if (transceiver.receiver.track.kind !== 'audio') transceiver.stop();
      else if (transceiver.direction !== 'stopped')
        transceiver.direction = this.#hold ? 'sendonly' : 'sendrecv';
    }
  }

  #silence(): void {
    for (const track of this.localStream.getTracks()) track.enabled = !this.#muted && !this.#hold;
  }

  #hear(track: MediaStreamTrack): void {
    if (track.kind !== 'audio') return;
    for (const old of this.remoteStream.getTracks()) this.remoteStream.removeTrack(old);
    this.remoteStream.addTrack(track);
    this.onChange?.();
  }

  async #gathered(): Promise<void> {
    if (this.#pc.iceGatheringState === 'complete') return;
    const limitMs = this.#options.gatheringMs ?? GATHERING_MS;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#pc.addEventListener('icegatheringstatechange', () => {
        if (this.#pc.iceGatheringState !== 'complete') return;
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
