/** An end towards a browser: ICE-lite and DTLS-SRTP, done by mediasoup on the port that the worker shares. */
import type { types } from 'mediasoup';
import type { RemoteAudio } from '../../sdp/description.ts';
import { SdpError } from '../../sdp/error.ts';
import type { EndpointStats, Flow, WebRtcLocal } from '../engine.ts';
import { RoutedEndpoint } from './endpoint.ts';
import { webRtcProducer } from './rtp.ts';

/** Runs something in order with the other changes of the call. */
type InOrder = (work: () => Promise<void>) => Promise<void>;

/** Its transport is joined by one browser; another certificate gets another transport. */
export class WebRtcEndpoint extends RoutedEndpoint {
  readonly variant = 'webrtc';
  readonly #inOrder: InOrder;
  #router: types.Router | null = null;
  #server: types.WebRtcServer | null = null;
  #local: WebRtcLocal | null = null;
  /** The browser's certificate that DTLS was started with, '' before. */
  #fingerprint = '';
  /** The browser's ICE user name that the transport was joined with, '' before. */
  #iceUfrag = '';

  constructor(inOrder: InOrder) {
    super();
    this.#inOrder = inOrder;
  }

  get local(): WebRtcLocal {
    if (!this.#local) throw new Error('the endpoint is not attached');
    return this.#local;
  }

  async attach(router: types.Router, server: types.WebRtcServer): Promise<void> {
    if (this.transport) return;
    this.#router = router;
    this.#server = server;
    const transport = await router.createWebRtcTransport({ webRtcServer: server, preferUdp: true });
    this.transport = transport;
    this.#fingerprint = '';
    this.#iceUfrag = '';
    this.#local = {
      variant: 'webrtc',
      iceUfrag: transport.iceParameters.usernameFragment,
      icePwd: transport.iceParameters.password,
      candidates: transport.iceCandidates.map(({ foundation, priority, address, port, protocol }) => ({
        foundation,
        priority,
        address,
        port,
        protocol,
      })),
      fingerprints: transport.dtlsParameters.fingerprints
        .filter(({ algorithm }) => algorithm === 'sha-256')
        .map(({ algorithm, value }) => ({ algorithm, value })),
    };
  }

  prepare({ webrtc }: RemoteAudio): Promise<void> {
    return this.#inOrder(async () => {
      if (!webrtc || this.#fingerprint === '' || !this.#router || !this.#server) return;
      if (webrtc.fingerprint.value !== this.#fingerprint) {
        // Another certificate is another DTLS association (RFC 8842 5.5): a transport has one only.
        await this.release();
        await this.attach(this.#router, this.#server);
      } else if (webrtc.iceUfrag !== this.#iceUfrag) {
        const { usernameFragment, password } = await this.#transport().restartIce();
        this.#iceUfrag = webrtc.iceUfrag;
        this.#local = { ...this.local, iceUfrag: usernameFragment, icePwd: password };
      }
    });
  }

  async stats(): Promise<EndpointStats> {
    const [incoming = [], outgoing = []] = await Promise.all([
      this.producer?.it.getStats(),
      this.consumer?.it.getStats(),
    ]);
    const received = incoming[0];
    const sent = outgoing.find((entry) => entry.type === 'outbound-rtp');
    const tuple = this.transport && this.#transport().iceSelectedTuple;
    const expected = (received?.packetCount ?? 0) + Math.max(0, received?.packetsLost ?? 0);
    return {
      path: 'mediasoup',
      localPort: null,
      remote: tuple ? `${tuple.remoteIp}:${tuple.remotePort}` : null,
      packetsIn: received?.packetCount ?? 0,
      packetsOut: sent?.packetCount ?? 0,
      lossPct: expected > 0 ? (100 * Math.max(0, received?.packetsLost ?? 0)) / expected : 0,
      jitterMs: ((received?.jitter ?? 0) * 1000) / (this.flow?.receive[0]?.kind.clockRate ?? 48_000),
      rttMs: sent?.roundTripTime ?? null,
    };
  }

  async received(): Promise<number> {
    if (!this.transport) return 0;
    const [stats] = await this.#transport().getStats();
    return stats?.rtpBytesReceived ?? 0;
  }

  protected producerParameters(flow: Flow): types.RtpParameters | null {
    return webRtcProducer(flow);
  }

  protected async applyFlow(): Promise<void> {
    const webrtc = this.flow?.remote.webrtc;
    if (!webrtc || this.#fingerprint === webrtc.fingerprint.value) return;
    if (this.#fingerprint !== '') throw new SdpError(488, 'another browser has joined the transport already');
    const { algorithm, value } = webrtc.fingerprint;
    await this.#transport().connect({
      dtlsParameters: {
        role: webrtc.setup === 'passive' ? 'server' : 'client',
        fingerprints: [{ algorithm: algorithm as types.FingerprintAlgorithm, value }],
      },
    });
    this.#fingerprint = value;
    this.#iceUfrag = webrtc.iceUfrag;
  }

  #transport(): types.WebRtcTransport {
    if (!this.transport) throw new Error('the endpoint is not attached');
    return this.transport as types.WebRtcTransport;
  }
}
