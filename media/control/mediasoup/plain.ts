/**
 * An end towards a phone or trunk: a leg of the edge, and the transport between the edge and mediasoup. It has none
 * while the edge carries its media to another phone by itself.
 */
import { randomInt } from 'node:crypto';
import type { types } from 'mediasoup';
import type { EdgeAddress, EdgeLeg, EdgeLegConfig } from '../../edge/types.ts';
import type { EndpointStats, Flow, PlainLocal } from '../engine.ts';
import type { EdgeReader } from './edge-reader.ts';
import { RoutedEndpoint } from './endpoint.ts';
import type { PortRange } from './ports.ts';
import { plainProducer } from './rtp.ts';

/** Media may begin this long after an answer: a phone can be slow to open its devices. */
const LATCH_WINDOW_MS = 10_000;
const SSRC_MAX = 2 ** 32;

/** What all plain endpoints share. */
export interface PlainSurroundings {
  /** The edge's socket towards mediasoup. */
  mediasoupSide: EdgeAddress;
  reader: EdgeReader;
  /** Ports for mediasoup's own sockets towards the edge. */
  ports: PortRange;
}

/** Its ports stay for as long as it lives, whatever becomes of workers. */
export class PlainEndpoint extends RoutedEndpoint {
  readonly variant = 'plain';
  readonly local: PlainLocal;
  readonly #edge: PlainSurroundings;
  readonly #leg: EdgeLeg;
  readonly #ssrc = randomInt(1, SSRC_MAX);
  /** What the edge was told last. */
  #told = '';

  constructor(edge: PlainSurroundings, leg: EdgeLeg) {
    super();
    this.#edge = edge;
    this.#leg = leg;
    this.local = { variant: 'plain', rtpPort: leg.rtpPort };
  }

  async attach(router: types.Router): Promise<void> {
    if (this.transport) return;
    const { address, port } = this.#edge.mediasoupSide;
    const transport = await router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: address, portRange: this.#edge.ports },
      rtcpMux: true,
      comedia: false,
    });
    await transport.connect({ ip: address, port });
    this.transport = transport;
  }

  async prepare(): Promise<void> {
    // A phone's new address comes with the flow.
  }

  /** Its media goes to its peer, another phone, inside the edge; what it has in mediasoup is given up. */
  async relayInEdge(): Promise<void> {
    const { transport } = this;
    this.detach();
    await this.applyFlow();
    transport?.close();
  }

  override async release(): Promise<void> {
    await super.release();
    await this.#leg.free();
  }

  async stats(): Promise<EndpointStats> {
    const stats = await this.#edge.reader.read(this.#leg.id);
    const lost = Math.max(0, stats?.lost ?? 0);
    return {
      path: this.transport === null ? 'edge' : 'mediasoup',
      localPort: this.#leg.rtpPort,
      remote: stats?.remote ?? null,
      packetsIn: stats?.packetsIn ?? 0,
      packetsOut: stats?.packetsOut ?? 0,
      lossPct: stats && stats.expected > 0 ? Math.min(100, (100 * lost) / stats.expected) : 0,
      jitterMs: stats?.jitterMs ?? 0,
      rttMs: stats?.rttMs ?? null,
    };
  }

  async received(): Promise<number> {
    const stats = await this.#edge.reader.read(this.#leg.id);
    return stats?.packetsIn ?? 0;
  }

  protected producerParameters(flow: Flow): types.RtpParameters {
    return plainProducer(flow, this.#ssrc, `strowger-${this.#leg.id}`);
  }

  protected async applyFlow(): Promise<void> {
    if (!this.flow && this.#told === '') return;
    const config = this.#config();
    const key = JSON.stringify(config);
    // Telling it the same again could open the window for latching again.
    if (key === this.#told) return;
    await this.#leg.configure(config);
    this.#told = key;
  }

  #config(): EdgeLegConfig {
    const { flow } = this;
    const tuple = (this.transport as types.PlainTransport | null)?.tuple;
    const config: EdgeLegConfig = {
      vouched: [],
      remote: null,
      inSsrc: this.#ssrc,
      inPts: [],
      outPts: [],
      clockRates: [],
      mediasoup: tuple ? { ip: tuple.localAddress, port: tuple.localPort } : null,
      peer: this.transport === null && this.peer instanceof PlainEndpoint ? this.peer.#leg.id : null,
      latchWindowMs: LATCH_WINDOW_MS,
      sendEnabled: false,
      receiveEnabled: false,
    };
    if (!flow) return config;
    const { address, port, rtcpPort } = flow.remote;
    return {
      ...config,
      vouched: flow.vouched,
      remote:
        address === null
          ? null
          : { address, rtpPort: port, rtcpPort: flow.rtcpMux ? port : rtcpPort, rtcpMux: flow.rtcpMux },
      inPts: flow.receive.map(({ partyPt, routerPt }) => [partyPt, routerPt]),
      outPts: flow.send.map(({ routerPt, partyPt }) => [routerPt, partyPt]),
      clockRates: flow.receive.map(({ partyPt, kind }) => [partyPt, kind.clockRate]),
      sendEnabled: flow.sendEnabled,
      receiveEnabled: flow.receiveEnabled,
    };
  }
}
