/**
 * The media of one call: endpoints that are bridged two by two, and a Router while there is something for it to do.
 * Two phones are bridged in the edge, if that is the policy; a browser, and whoever talks with it, needs the Router.
 */
import type { types } from 'mediasoup';
import type { EdgeLeg, EdgePort } from '../../edge/types.ts';
import type { MediaPath, SdpVariant } from '../../protocol.ts';
import type { RouterPts } from '../agreement.ts';
import { type BridgeEnd, type CallMedia, type Endpoint, type Flow, MediaFull } from '../engine.ts';
import type { RoutedEndpoint } from './endpoint.ts';
import { PlainEndpoint, type PlainSurroundings } from './plain.ts';
import type { Seat, WorkerPool, WorkerUser } from './pool.ts';
import { routerCodecs } from './rtp.ts';
import { WebRtcEndpoint } from './webrtc.ts';

/** Attempts to do something when the worker dies meanwhile. */
const ATTEMPTS_MAX = 3;
/** How soon the death of a worker is noticed after its first failed request, ms. */
const NOTICE_MS = 20;

/** What a call is opened with. */
export interface RoutedCallOptions {
  pts: RouterPts;
  /** Who carries media between two phones. */
  plainToPlain: MediaPath;
}

/** Changes are made in order; after each, what is becomes what should be. */
export class RoutedCall implements CallMedia, WorkerUser {
  onReplaced: (endpoints: Endpoint[]) => void = () => undefined;
  readonly #pool: Pick<WorkerPool, 'least'>;
  readonly #edge: EdgePort;
  readonly #surroundings: PlainSurroundings;
  readonly #options: RoutedCallOptions;
  readonly #endpoints = new Set<RoutedEndpoint>();
  /** Where its Router is; null while it needs none. */
  #seat: Seat | null = null;
  #router: types.Router | null = null;
  #generation = 0;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    pool: Pick<WorkerPool, 'least'>,
    edge: EdgePort,
    surroundings: PlainSurroundings,
    options: RoutedCallOptions,
  ) {
    this.#pool = pool;
    this.#edge = edge;
    this.#surroundings = surroundings;
    this.#options = options;
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
    const endpoint = this.#addPlain(leg);
    // The phone can be told its port already; what fails here fails again, and is told, when it is bridged.
    this.#inOrder(() => this.#realize()).catch(() => undefined);
    return endpoint;
  }

  /** Nothing is built for it yet: `bridge` does that. */
  async reopen({ variant, rtpPort }: { variant: SdpVariant; rtpPort: number }): Promise<Endpoint> {
    if (variant === 'plain') return this.#addPlain(await this.#edge.allocate(rtpPort));
    return await this.open(variant);
  }

  #addPlain(leg: EdgeLeg): PlainEndpoint {
    const endpoint = new PlainEndpoint(this.#surroundings, leg);
    this.#endpoints.add(endpoint);
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

  change(endpoint: Endpoint, flow: Flow): Promise<void> {
    return this.#inOrder(async () => {
      this.#own(endpoint).flow = flow;
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
      if (![...this.#endpoints].some((other) => this.#needsRouter(other))) await this.#realize();
    });
  }

  close(): Promise<void> {
    return this.#inOrder(async () => {
      this.#closed = true;
      // Transports first: a Router that closes them doesn't tell the WebRtcServer, which would keep them for ever.
      const released = [...this.#endpoints].map((endpoint) => endpoint.release());
      this.#leaveWorker();
      await Promise.all(released);
      this.#endpoints.clear();
    });
  }

  async moved(): Promise<Record<SdpVariant, number>> {
    await this.#inOrder(() => this.#realize());
    const legs = { plain: 0, webrtc: 0 };
    for (const endpoint of this.#endpoints) if (this.#needsRouter(endpoint)) legs[endpoint.variant]++;
    const browsers = [...this.#endpoints].filter(({ variant }) => variant === 'webrtc');
    if (browsers.length > 0) this.onReplaced(browsers);
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

  /** A phone without a peer may still get a browser for one, if the call has any. */
  #needsRouter({ variant, peer }: RoutedEndpoint): boolean {
    if (variant === 'webrtc' || this.#options.plainToPlain === 'mediasoup') return true;
    return peer ? peer.variant === 'webrtc' : [...this.#endpoints].some((end) => end.variant === 'webrtc');
  }

  /** Makes what is what should be. */
  async #realize(): Promise<void> {
    const routed: RoutedEndpoint[] = [];
    const relayed: PlainEndpoint[] = [];
    for (const endpoint of this.#endpoints) {
      if (endpoint instanceof PlainEndpoint && !this.#needsRouter(endpoint)) relayed.push(endpoint);
      else routed.push(endpoint);
    }
    await Promise.all(relayed.map((endpoint) => endpoint.relayInEdge()));
    if (routed.length > 0) await this.#route(routed);
    else this.#leaveWorker();
  }

  /** Through mediasoup; once more when the worker died meanwhile. */
  async #route(endpoints: RoutedEndpoint[]): Promise<void> {
    for (let attempt = 1; !this.#closed; attempt++) {
      const seat = (this.#seat ??= this.#pool.least());
      seat.users.add(this);
      const { worker, webRtcServer } = await seat.current;
      if (this.#generation !== seat.generation) {
        this.#generation = seat.generation;
        this.#router = null;
        for (const endpoint of endpoints) endpoint.detach();
      }
      try {
        await this.#build(endpoints, worker, webRtcServer);
        return;
      } catch (error) {
        await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
        if (!worker.closed || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #build(endpoints: RoutedEndpoint[], worker: types.Worker, server: types.WebRtcServer): Promise<void> {
    const mediaCodecs = routerCodecs(this.#options.pts);
    const router = (this.#router ??= await worker.createRouter({ mediaCodecs }));
    await Promise.all(endpoints.map((endpoint) => endpoint.attach(router, server)));
    await Promise.all(endpoints.map((endpoint) => endpoint.produce()));
    await Promise.all(endpoints.map((endpoint) => endpoint.consume()));
  }

  #leaveWorker(): void {
    this.#router?.close();
    this.#router = null;
    this.#seat?.users.delete(this);
    this.#seat = null;
    this.#generation = 0;
  }
}
