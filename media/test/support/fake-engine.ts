/** Media that is none: remembers what it was told. */
import type { RouterPts } from '../../control/agreement.ts';
import {
  type BridgeEnd,
  type CallMedia,
  type Endpoint,
  type EndpointStats,
  type Engine,
  type Flow,
  MediaFull,
} from '../../control/engine.ts';
import type { SdpVariant } from '../../protocol.ts';

export class FakeEndpoint implements Endpoint {
  readonly variant: SdpVariant;
  readonly number: number;
  flow: Flow | null = null;
  peer: FakeEndpoint | null = null;
  released = false;
  /** How often it was prepared for an offer. */
  prepared = 0;
  packetsIn = 0;

  constructor(variant: SdpVariant, number: number) {
    this.variant = variant;
    this.number = number;
  }

  get local(): Endpoint['local'] {
    if (this.variant === 'plain') return { variant: 'plain', rtpPort: 20_000 + 2 * this.number };
    return {
      variant: 'webrtc',
      iceUfrag: `ufrag${this.number}`,
      icePwd: 'password',
      candidates: [{ foundation: 'u', priority: 1, address: '198.51.100.1', port: 44_400, protocol: 'udp' }],
      fingerprints: [{ algorithm: 'sha-256', value: 'AA:BB' }],
    };
  }

  async prepare(): Promise<void> {
    this.prepared++;
  }

  async received(): Promise<number> {
    return this.packetsIn;
  }

  async stats(): Promise<EndpointStats> {
    const { packetsIn } = this;
    return {
      path: this.variant === 'plain' ? 'edge' : 'mediasoup',
      localPort: null,
      remote: null,
      packetsIn,
      packetsOut: 0,
      lossPct: 0,
      jitterMs: 0,
      rttMs: null,
    };
  }
}

export class FakeEngine implements Engine, CallMedia {
  readonly announcedAddress = '198.51.100.1';
  readonly endpoints: FakeEndpoint[] = [];
  pts: RouterPts | null = null;
  onReplaced: (endpoints: Endpoint[]) => void = () => undefined;
  bridges = 0;
  closed = false;
  endpointsMax = 100;

  openCall(pts: RouterPts): CallMedia {
    this.pts = pts;
    return this;
  }

  async open(variant: SdpVariant): Promise<Endpoint> {
    if (this.endpoints.length >= this.endpointsMax) throw new MediaFull('no free port');
    const endpoint = new FakeEndpoint(variant, this.endpoints.length);
    this.endpoints.push(endpoint);
    return endpoint;
  }

  /** Ports that were asked for again. */
  readonly reopened: number[] = [];

  async reopen({ variant, rtpPort }: { variant: SdpVariant; rtpPort: number }): Promise<Endpoint> {
    this.reopened.push(rtpPort);
    return await this.open(variant);
  }

  async bridge(a: BridgeEnd, b: BridgeEnd): Promise<void> {
    this.bridges++;
    const [first, second] = [a.endpoint as FakeEndpoint, b.endpoint as FakeEndpoint];
    this.#part(first);
    this.#part(second);
    Object.assign(first, { flow: a.flow, peer: second });
    Object.assign(second, { flow: b.flow, peer: first });
  }

  async change(endpoint: Endpoint, flow: Flow): Promise<void> {
    (endpoint as FakeEndpoint).flow = flow;
  }

  async silence(endpoint: Endpoint): Promise<void> {
    this.#part(endpoint as FakeEndpoint);
    (endpoint as FakeEndpoint).flow = null;
  }

  async release(endpoint: Endpoint): Promise<void> {
    await this.silence(endpoint);
    (endpoint as FakeEndpoint).released = true;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #part(endpoint: FakeEndpoint): void {
    if (endpoint.peer) endpoint.peer.peer = null;
    endpoint.peer = null;
  }
}
