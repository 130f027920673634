/** What a node needs of the media process; ../../media/client.ts implements it, tests fake it. */
import type { MediaEvent, OfferedRequest, SdpReply, SdpRequest, StatsReply } from '../../media/protocol.ts';

/** A media process, which may come and go. */
export interface MediaPort {
  /** Connected and greeted. */
  readonly connected: boolean;
  /** Process id of the media process, 0 while not connected. */
  readonly pid: number;
  /** Lease epoch with which this node commands, 0 while it can't. */
  readonly epoch: number;
  /** @throws when not connected, or the connection is lost before the answer. */
  sdp(request: Omit<SdpRequest, 'op' | 'id' | 'epoch'>): Promise<SdpReply>;
  offered(request: Omit<OfferedRequest, 'op' | 'id' | 'epoch'>): Promise<unknown>;
  closeLeg(call: string, leg: number): Promise<unknown>;
  closeCall(call: string): Promise<unknown>;
  stats(call?: string): Promise<StatsReply>;
  onEvent: (event: MediaEvent) => void;
  onRestored: () => void;
  keepRestored(calls: string[]): void;
  close(): void;
}
