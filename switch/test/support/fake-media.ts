/** A media process that is none. */
import type { MediaEvent, SdpReply, StatsReply } from '../../../media/protocol.ts';
import type { MediaPort } from '../../control/media-port.ts';

export const TOTALS: StatsReply['totals'] = {
  calls: 1,
  legs: 3,
  plainLegs: 2,
  webrtcLegs: 1,
  portsUsed: 2,
  portsMax: 5000,
  packetsIn: 10,
  packetsOut: 20,
  dropped: { source: 3 },
  workers: [{ pid: 9, routers: 1, restarts: 2 }],
};

type Sdp = Parameters<MediaPort['sdp']>[0];

export class FakeMedia implements MediaPort {
  connected = true;
  pid = 4242;
  epoch = 7;
  onEvent: (event: MediaEvent) => void = () => undefined;
  onRestored: () => void = () => undefined;
  /** What it was asked, in order. */
  readonly asked: unknown[] = [];
  /** How it answers an SDP. */
  reply: (request: Sdp) => Promise<SdpReply> = async () => ({ id: 1, status: 200, bodies: {} });
  legs: StatsReply['legs'] = [];

  sdp(request: Sdp): Promise<SdpReply> {
    this.asked.push(request);
    return this.reply(request);
  }

  keepRestored(calls: string[]): void {
    this.asked.push({ keep: calls });
  }

  async offered(what: unknown): Promise<void> {
    this.asked.push(what);
  }

  async closeLeg(call: string, leg: number): Promise<void> {
    this.#close({ close: call, leg });
  }

  async closeCall(call: string): Promise<void> {
    this.#close({ close: call });
  }

  #close(what: unknown): void {
    if (!this.connected) throw new Error('not connected');
    this.asked.push(what);
  }

  async stats(call?: string): Promise<StatsReply> {
    return { id: 1, status: 200, totals: TOTALS, ...(call === undefined ? {} : { legs: this.legs }) };
  }

  close(): void {
    this.connected = false;
  }
}
