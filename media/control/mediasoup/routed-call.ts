/** The media of one call in mediasoup: a Router, and endpoints that are bridged two by two. */
import type { types } from 'mediasoup';
import type { EdgePort } from '../../edge/types.ts';
import type { SdpVariant } from '../../protocol.ts';
import type { RouterPts } from '../agreement.ts';
import { type BridgeEnd, type CallMedia, type Endpoint, MediaFull } from '../engine.ts';
import type { RoutedEndpoint } from './endpoint.ts';
import { PlainEndpoint, type PlainSurroundings } from './plain.ts';
import type { Seat, WorkerUser } from './pool.ts';
import { routerCodecs } from './rtp.ts';
import { WebRtcEndpoint } from './webrtc.ts';

/** Attempts to do something when the worker dies meanwhile. */
const ATTEMPTS_MAX = 3;
/** How soon the death of a worker is noticed after its first failed request, ms. */
const NOTICE_MS = 20;

/** Changes are made in order; after each, what is becomes what should be. */
export class RoutedCall implements CallMedia, WorkerUser {
  readonly #seat: Seat;
  readonly #edge: EdgePort;
  readonly #surroundings: PlainSurroundings;
  readonly #pts: RouterPts;
  readonly #endpoints = new Set<RoutedEndpoint>();
  #router: types.Router | null = null;
  #generation = 0;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(seat: Seat, edge: EdgePort, surroundings: PlainSurroundings, pts: RouterPts) {
    this.#seat = seat;
    this.#edge = edge;
    this.#surroundings = surroundings;
    this.#pts = pts;
    seat.users.add(this);
  }

  async open(variant: SdpVariant): Promise<Endpoint> {
    if (variant === 'webrtc') {
      const endpoint = new WebRtcEndpoint((work) => this.#inOrder(work));
      this.#endpoints.add(endpoint);
      await this.#inOrder(() => this.#realize());
      return endpoint;
    }
    const leg = await this.#edge.allocate().catch((error: Error) => {
      throw new MediaFull(error.message);
    });
    const endpoint = new PlainEndpoint(this.#surroundings, leg);
    this.#endpoints.add(endpoint);
    // The phone can be told its port already; what fails here fails again, and is told, when it is bridged.
    this.#inOrder(() => this.#realize()).catch(() => undefined);
    return endpoint;
  }

  bridge(a: BridgeEnd, b: BridgeEnd): Promise<void> {
    return this.#inOrder(async () => {
      const [first, second] = [this.#own(a.endpoint), this.#own(b.endpoint)];
      this.#part(first);
      this.#part(second);
      first.flow = a.flow;
      second.flow = b.flow;
      first.peer = second;
      second.peer = first;
      await this.#realize();
    });
  }

  silence(endpoint: Endpoint): Promise<void> {
    return this.#inOrder(async () => {
      const own = this.#own(endpoint);
      this.#part(own);
      own.flow = null;
      await this.#realize();
    });
  }

  release(endpoint: Endpoint): Promise<void> {
    return this.#inOrder(async () => {
      const own = this.#own(endpoint);
      this.#part(own);
      this.#endpoints.delete(own);
      await own.release();
    });
  }

  close(): Promise<void> {
    return this.#inOrder(async () => {
      this.#closed = true;
      this.#seat.users.delete(this);
      // Transports first: a Router that closes them doesn't tell the WebRtcServer, which would keep them for ever.
      const released = [...this.#endpoints].map((endpoint) => endpoint.release());
      this.#router?.close();
      await Promise.all(released);
      this.#endpoints.clear();
    });
  }

  async moved(): Promise<Record<SdpVariant, number>> {
    await this.#inOrder(() => this.#realize());
    const legs = { plain: 0, webrtc: 0 };
    for (const { variant } of this.#endpoints) legs[variant]++;
    return legs;
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  #own(endpoint: Endpoint): RoutedEndpoint {
    for (const own of this.#endpoints) if (own === endpoint) return own;
    throw new Error('the endpoint is not of this call');
  }

  #part(endpoint: RoutedEndpoint): void {
    if (endpoint.peer) endpoint.peer.peer = null;
    endpoint.peer = null;
  }

  /** Makes what is what should be; once more when the worker died meanwhile. */
  async #realize(): Promise<void> {
    for (let attempt = 1; !this.#closed; attempt++) {
      const { worker, webRtcServer } = await this.#seat.current;
      if (this.#generation !== this.#seat.generation) {
        this.#generation = this.#seat.generation;
        this.#router = null;
        for (const endpoint of this.#endpoints) endpoint.detach();
      }
      try {
        await this.#build(worker, webRtcServer);
        return;
      } catch (error) {
        await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
        if (!worker.closed || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #build(worker: types.Worker, server: types.WebRtcServer): Promise<void> {
    const router = (this.#router ??= await worker.createRouter({ mediaCodecs: routerCodecs(this.#pts) }));
    const endpoints = [...this.#endpoints];
    await Promise.all(endpoints.map((endpoint) => endpoint.attach(router, server)));
    await Promise.all(endpoints.map((endpoint) => endpoint.produce()));
    await Promise.all(endpoints.map((endpoint) => endpoint.consume()));
  }
}
