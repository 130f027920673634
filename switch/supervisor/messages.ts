/** Messages between the supervisor and the node process, over Node's IPC channel. */

/** With this exit code a node says that it has stopped being active and is to begin anew, as a standby. */
export const EXIT_STEPPED_DOWN = 5;

/** First message to a node: what it is to run. */
export interface StartNode {
  type: 'start';
  /** Absolute path of the configuration. */
  configFile: string;
  /** Key of cookies and nonces, 32 hex digits: the same after a crash, so that calls in progress go on. */
  secret: string;
  /** What `generate: true` stands for among the API tokens. */
  token: string;
  /** Unix socket of the media process, null when media is not anchored and there is no standby. */
  mediaSocket: string | null;
  /** Name of this node, when there are two; else null: it has the configuration's. */
  node: string | null;
  /** Of two nodes one calls the other. */
  callsPeer: boolean;
}

/** Where the other node of the pair can be called; null: it is not running. */
export interface PeerNode {
  type: 'peer';
  address: { host: string; port: number } | null;
}

/** Where a node that is ready can be reached. */
export interface ReadyInfo {
  /** `udp 127.0.0.1:5060` and so on. */
  sip: string[];
  /** ws:// or wss:// URL of SIP over WebSocket. */
  webSocket: string;
  /** http:// or https:// URL of the pages, ending in a slash. */
  web: string;
}

/** From the supervisor. */
export type ToNode = StartNode | PeerNode | { type: 'drain' } | { type: 'reload' } | { type: 'switchover' };

/** To the supervisor. */
export type FromNode =
  | { type: 'ready'; info: ReadyInfo; epoch: number }
  /** It follows the active node, or waits for one; the other one can call it here. */
  | { type: 'standby'; host: string; port: number }
  /** It cannot start; it ends after this. */
  | { type: 'failed'; message: string }
  /** The other node of the pair is to begin anew. */
  | { type: 'restartPeer' }
  | { type: 'draining'; calls: number }
  | { type: 'reloaded'; message: string }
  /** A new configuration was refused; the old one stays. */
  | { type: 'refused'; message: string };
