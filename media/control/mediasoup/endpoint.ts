/**
 * One end of a call's media. It knows what it should be (`flow`, `peer`) and makes it so, again and again: after each
 * change, and from nothing on another worker when its own has died.
 */
import type { types } from 'mediasoup';
import type { SdpVariant } from '../../protocol.ts';
import type { RemoteAudio } from '../../sdp/description.ts';
import type { Endpoint, EndpointStats, Flow, PlainLocal, WebRtcLocal } from '../engine.ts';
import { consumerCapabilities } from './rtp.ts';

/** Room for a MID in mediasoup's header extension, bytes. */
const MID_LENGTH_MAX = 8;

/** Something made in a worker, and what for. */
interface Made<T> {
  key: string;
  it: T;
}

/** What both kinds of endpoints share: a producer of what comes in, a consumer of what the peer says. */
export abstract class RoutedEndpoint implements Endpoint {
  abstract readonly variant: SdpVariant;
  abstract readonly local: PlainLocal | WebRtcLocal;
  /** What should pass; null: silence. */
  flow: Flow | null = null;
  /** Whom this end hears. */
  peer: RoutedEndpoint | null = null;
  protected transport: types.Transport | null = null;
  protected producer: Made<types.Producer> | null = null;
  protected consumer: Made<types.Consumer> | null = null;

  /** Opens the transport, if there is none. */
  abstract attach(router: types.Router, server: types.WebRtcServer): Promise<void>;
  abstract prepare(remote: RemoteAudio): Promise<void>;
  abstract stats(): Promise<EndpointStats>;
  /** RTP packets, or bytes, that came from the party: only whether it grows matters. */
  abstract received(): Promise<number>;
  /** What comes from the party; null when nothing can. */
  protected abstract producerParameters(flow: Flow): types.RtpParameters | null;
  /** Tells who stands before the transport. */
  protected abstract applyFlow(): Promise<void>;

  /** The worker is gone, and what was in it. */
  detach(): void {
    this.transport = null;
    this.producer = null;
    this.consumer = null;
  }

  /** First half of making it so: what comes in. */
  async produce(): Promise<void> {
    await Promise.all([this.applyFlow(), this.#ensureProducer()]);
  }

  /** Second half, when all producers are there: what goes out. */
  async consume(): Promise<void> {
    const { flow, peer } = this;
    const source = flow && flow.send.length > 0 ? peer?.producer : null;
    const codecs = flow?.send.map(({ routerPt }) => routerPt).join();
    const key = source ? `${source.it.id} ${codecs}` : '';
    if (this.consumer && (this.consumer.key !== key || this.consumer.it.closed)) {
      this.consumer.it.close();
      this.consumer = null;
    }
    if (!source || !flow) return;
    this.consumer ??= { key, it: await this.#newConsumer(source.it, flow) };
    await setPaused(this.consumer.it, !flow.sendEnabled);
  }

  async release(): Promise<void> {
    this.transport?.close();
    this.detach();
  }

  async #ensureProducer(): Promise<void> {
    const { flow } = this;
    const parameters = flow && flow.receive.length > 0 ? this.producerParameters(flow) : null;
    const key = JSON.stringify(parameters);
    if (this.producer && (this.producer.key !== key || this.producer.it.closed)) {
      this.producer.it.close();
      this.producer = null;
    }
    if (!parameters || !flow) return;
    const paused = !flow.receiveEnabled;
    this.producer ??= {
      key,
      it: await this.#transport().produce({ kind: 'audio', rtpParameters: parameters, paused }),
    };
    await setPaused(this.producer.it, paused);
  }

  async #newConsumer(source: types.Producer, flow: Flow): Promise<types.Consumer> {
    const { mid } = flow.remote;
    return await this.#transport().consume({
      producerId: source.id,
      rtpCapabilities: consumerCapabilities(flow.send),
      paused: !flow.sendEnabled,
      enableRtx: false,
      // mediasoup writes it into every packet, if there is room.
      ...(mid !== null && mid.length <= MID_LENGTH_MAX ? { mid } : {}),
    });
  }

  #transport(): types.Transport {
    if (!this.transport) throw new Error('the endpoint is not attached');
    return this.transport;
  }
}

async function setPaused(stream: types.Producer | types.Consumer, paused: boolean): Promise<void> {
  if (stream.paused === paused) return;
  if (paused) await stream.pause();
  else await stream.resume();
}
