/** What the handlers of the API work with. */
import type { CallLog } from '../control/call-log.ts';
import type { Config } from '../control/config/schema.ts';
import type { CoreLink } from '../control/core-link.ts';
import type { MediaBridge } from '../control/media-bridge.ts';
import type { MediaPort } from '../control/media-port.ts';
import type { PairRole } from '../control/pair-role.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { RealtimeReading } from '../control/realtime-port.ts';

/** State of the node as /readyz tells it. */
export type NodeState = 'starting' | 'ok' | 'draining';

/** A node, as far as the API may see and touch it. */
export interface ApiContext {
  config: Config;
  /** Name of this node. */
  name: string;
  /** Null when there is no second node. */
  readonly pair: PairRole | null;
  /** Begins to restart both nodes of a pair, one after the other. False: that is under way. */
  restart(): boolean;
  /** Lease epoch of this node. */
  readonly epoch: number;
  readonly state: NodeState;
  link: CoreLink;
  calls: CallLog;
  /** What the realtime thread has counted and measured. */
  realtime(): RealtimeReading;
  /** Null when media is not anchored. */
  media: { port: MediaPort; bridge: MediaBridge } | null;
  /** Null when nothing is recorded. */
  recorder: Recorder | null;
  /** The whole of /metrics. */
  metrics(): Promise<string>;
}
