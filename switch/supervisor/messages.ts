/** Messages between the supervisor and the node process, over Node's IPC channel. */

/** First message to a node: what it is to run. */
export interface StartNode {
  type: 'start';
  /** Absolute path of the configuration. */
  configFile: string;
  /** Key of cookies and nonces, 32 hex digits: the same after a crash, so that calls in progress go on. */
  secret: string;
  /** What `generate: true` stands for among the API tokens. */
  token: string;
  /** Unix socket of the media process, null when media is not anchored. */
  mediaSocket: string | null;
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
export type ToNode = StartNode | { type: 'drain' } | { type: 'reload' };

/** To the supervisor. */
export type FromNode =
  | { type: 'ready'; info: ReadyInfo }
  /** It cannot start; it ends after this. */
  | { type: 'failed'; message: string }
  | { type: 'draining'; calls: number }
  | { type: 'reloaded'; message: string }
  /** A new configuration was refused; the old one stays. */
  | { type: 'refused'; message: string };
