/** One signalling node: everything of the control thread, put together around the realtime thread. */
import { hasStandby } from './config/standby.ts';
import { resolve } from 'node:path';
import * as abi from '../../wasm-core/assembly/abi.ts';
import { formatHostPort } from '../../wasm-core/host/address.ts';
import type { ApiContext, NodeState } from '../api/context.ts';
import { Pages } from '../api/pages.ts';
import { Router } from '../api/router.ts';
import { routes } from '../api/routes.ts';
import { WebServer } from '../api/server.ts';
import { Tokens } from '../api/tokens.ts';
import type { ReadyInfo } from '../supervisor/messages.ts';
import { CallLog } from './call-log.ts';
import type { Endpoints } from './config/endpoints.ts';
import type { LoadedConfig } from './config/load.ts';
import { LINK_REBUILT, LINK_RESUMED } from '../realtime/link-frames.ts';
import { networkOf } from './config/network.ts';
import type { Config } from './config/schema.ts';
import { CoreLink } from './core-link.ts';
import { EventLog } from './event-log.ts';
import { Flows } from './flows/flows.ts';
import { routeEffects } from './flows/stream-transports.ts';
import { TcpTransport } from './flows/tcp.ts';
import { WebSocketTransport } from './flows/websocket.ts';
import { isSecure, listenerTable } from './listeners.ts';
import type { Logger } from './log.ts';
import { MediaBridge } from './media-bridge.ts';
import type { MediaPort } from './media-port.ts';
import { MetricsRegistry } from './metrics/registry.ts';
import type { MetricSources } from './metrics/table.ts';
import { allowedOrigins } from './origins.ts';
import type { PairRole } from './pair-role.ts';
import type { RealtimePort } from './realtime-port.ts';
import type { RollingRestart } from './rolling-restart.ts';
import type { Journal } from '../journal/journal.ts';
import type { Recorder } from '../recording/recorder.ts';
import { Watchdog } from './watchdog.ts';

/** What a node is made of. */
export interface NodeParts {
  loaded: LoadedConfig;
  realtime: RealtimePort;
  /** Null when media is not anchored. */
  media: MediaPort | null;
  /** Null when nothing is recorded. */
  recorder?: Recorder | null;
  /** What `generate: true` stands for among the API tokens, '' = none. */
  token: string;
  log: Logger;
  /** The core has stopped answering: the process should end, so that it is started again. */
  stuck?: () => void;
  /** Name of this node. Default: the configuration's. */
  name?: string;
  /** Folder of the built pages. Default: testbed/dist. */
  pages?: string;
}

const PAGES = resolve(import.meta.dirname, '../../testbed/dist');
/** How often the number of calls is looked at while draining. */
const DRAIN_POLL_MS = 50;
/** Longest wait for the totals of the media process when metrics are read. */
const MEDIA_TOTALS_MS = 500;
/** Longest wait for the media process at start; calls are refused with 503 until it is there. */
const MEDIA_START_MS = 15_000;

/** The control thread of one node. */
export class SwitchNode {
  readonly #config: Config;
  readonly #endpoints: Endpoints;
  readonly #realtime: RealtimePort;
  readonly #media: MediaPort | null;
  readonly #recorder: Recorder | null;
  readonly #log: Logger;
  readonly #link: CoreLink;
  readonly #flows: Flows;
  readonly #calls: CallLog;
  readonly #bridge: MediaBridge | null;
  readonly #tcp: TcpTransport;
  readonly #webSocket: WebSocketTransport;
  readonly #web: WebServer;
  readonly #origins = new Set<string>();
  readonly #watchdog: Watchdog;
  readonly #name: string;
  #state: NodeState = 'starting';
  /** Set when this node is one of a pair. */
  pair: PairRole | null = null;
  /** Of a pair: both nodes begin anew. */
  rollingRestart: RollingRestart | null = null;
  /** Set when bindings are kept and this node is active. */
  journal: Journal | null = null;

  constructor(parts: NodeParts) {
    const { config, endpoints } = parts.loaded;
    this.#config = config;
    this.#name = parts.name ?? config.name;
    this.#endpoints = endpoints;
    this.#realtime = parts.realtime;
    this.#media = parts.media;
    this.#recorder = parts.recorder ?? null;
    this.#log = parts.log;
    this.#link = new CoreLink(parts.realtime);
    this.#flows = new Flows({
      connections: config.limits.connections,
      connectionsPerSource: config.limits.connectionsPerSource,
      trusted: config.trusted.map(networkOf).filter((network) => network !== null),
    });
    this.#watchdog = new Watchdog(this.#link, parts.log, parts.stuck ?? (() => undefined));
    this.#calls = new CallLog(config, this.#link, parts.log);
    new EventLog(config.logs.perSecond, this.#link, parts.log);
    this.#bridge = parts.media && this.#makeBridge(parts.media);
    this.#tcp = this.#makeTcp();
    this.#webSocket = this.#makeWebSocket();
    this.#link.on(LINK_REBUILT, () => {
      this.#bridge?.coreReplaced();
      this.#link.post({ kind: LINK_RESUMED });
    });
    this.#link.on(abi.EF_JOURNAL, (frame) => this.journal?.append(frame.payload));
    routeEffects(this.#link, this.#flows, this.#tcp, this.#webSocket);
    this.#web = this.#makeWeb(parts.token, parts.pages ?? PAGES);
    this.#webSocket.attach(this.#web.app, () => this.#web.upgraded());
  }

  #makeBridge(media: MediaPort): MediaBridge {
    const { media: settings, budgets } = this.#config;
    const options = {
      setupTimeoutMs: settings.setupTimeoutMs,
      budgetUs: budgets.mediaUs,
    };
    return new MediaBridge(options, this.#link, media, this.#log);
  }

  #makeTcp(): TcpTransport {
    const { limits } = this.#config;
    const options = {
      endpoints: this.#endpoints.tcp,
      firstListener: listenerTable(this.#config, this.#endpoints).firstTcp,
      messageBytes: limits.messageBytes,
      sendBufferBytes: limits.sendBufferBytes,
      idleMs: limits.connectionIdleS * 1000,
      messageTimeoutMs: limits.messageTimeoutS * 1000,
      connectTimeoutMs: limits.connectTimeoutMs,
      takesOver: hasStandby(this.#config),
    };
    return new TcpTransport(options, this.#link, this.#flows, this.#log);
  }

  #makeWebSocket(): WebSocketTransport {
    const { limits, http } = this.#config;
    const options = {
      path: http.path,
      transport: isSecure(this.#config) ? abi.TRANSPORT_WSS : abi.TRANSPORT_WS,
      listener: listenerTable(this.#config, this.#endpoints).webSocket,
      origins: this.#origins,
      messageBytes: limits.messageBytes,
      sendBufferBytes: limits.sendBufferBytes,
      idleS: limits.webSocketIdleS,
    };
    return new WebSocketTransport(options, this.#link, this.#flows, this.#log);
  }

  #makeWeb(token: string, pages: string): WebServer {
    const { http } = this.#config;
    const router = new Router(routes, new Tokens(http.tokens, token), http.metrics === 'open');
    const options = {
      endpoint: this.#endpoints.http,
      certificate: http.certificate,
      key: http.key,
      connectionsMax: this.#config.limits.httpConnections,
    };
    return new WebServer(options, router, new Pages(pages), this.#apiContext(), this.#log);
  }

  #apiContext(): ApiContext {
    const registry = new MetricsRegistry(() => this.#gatherMetrics());
    const state = (): NodeState => this.#state;
    const media = this.#media;
    const pair = (): PairRole | null => this.pair;
    return {
      config: this.#config,
      name: this.#name,
      get pair() {
        return pair();
      },
      get epoch() {
        return media ? media.epoch : 1;
      },
      get state() {
        return state();
      },
      restart: () => this.rollingRestart?.begin() ?? false,
      link: this.#link,
      calls: this.#calls,
      realtime: () => this.#realtime.read(),
      media: this.#media && this.#bridge ? { port: this.#media, bridge: this.#bridge } : null,
      recorder: this.#recorder,
      metrics: () => registry.text(),
    };
  }

  async #gatherMetrics(): Promise<MetricSources> {
    return {
      realtime: this.#realtime.read(),
      flows: this.#flows,
      link: this.#link,
      calls: this.#calls,
      bridge: this.#bridge,
      media: await this.#mediaTotals(),
      originsRefused: this.#webSocket.originRefused,
      recording: this.#recorder?.read() ?? null,
      journal: this.journal?.read() ?? null,
    };
  }

  async #mediaTotals(): Promise<MetricSources['media']> {
    if (!this.#media?.connected) return null;
    const late = new Promise<null>((resolve) => setTimeout(resolve, MEDIA_TOTALS_MS, null).unref());
    const totals = this.#media.stats().then((reply) => reply.totals);
    return Promise.race([totals, late]).catch(() => null);
  }

  /** Opens the listeners. @throws the system's error when a port can't be had. */
  async start(): Promise<ReadyInfo> {
    // Without a lease there is no epoch; the time will do.
    this.#flows.begin(this.#media?.epoch || Math.floor(Date.now() / 1000));
    const tcpPorts = await this.#tcp.listen();
    const webPort = await this.#web.listen();
    const secure = isSecure(this.#config);
    const { http } = this.#endpoints;
    for (const origin of allowedOrigins(http, webPort, secure, this.#config.http.origins))
      this.#origins.add(origin);
    await this.#waitForMedia();
    this.#watchdog.start();
    this.#state = 'ok';
    const host = formatHostPort(
      http.advertisedHost,
      http.advertisedPort === http.port ? webPort : http.advertisedPort,
    );
    return {
      sip: [
        ...this.#endpoints.udp.map((endpoint) => `udp ${formatHostPort(endpoint.address, endpoint.port)}`),
        ...this.#endpoints.tcp.map(
          (endpoint, i) => `tcp ${formatHostPort(endpoint.address, tcpPorts[i] ?? endpoint.port)}`,
        ),
      ],
      webSocket: `${secure ? 'wss' : 'ws'}://${host}${this.#config.http.path}`,
      web: `${secure ? 'https' : 'http'}://${host}/`,
    };
  }

  async #waitForMedia(): Promise<void> {
    const untilMs = performance.now() + MEDIA_START_MS;
    while (this.#media && this.#media.epoch === 0 && performance.now() < untilMs)
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    if (this.#media?.epoch === 0)
      this.#log.error('the media process is not there: calls are refused with 503');
  }

  /** For the role of a node that is one of a pair. */
  get link(): CoreLink {
    return this.#link;
  }

  /** Calls at this moment. */
  get callsActive(): number {
    return this.#realtime.read().counters[abi.C_CALLS_ACTIVE] ?? 0;
  }

  /** Refuses new calls, and resolves when the last has ended or the time for it is over. */
  async drain(): Promise<void> {
    this.#state = 'draining';
    this.#link.drain(true);
    const untilMs = performance.now() + this.#config.calls.drainS * 1000;
    while (this.callsActive > 0 && performance.now() < untilMs)
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  }

  /** Closes everything. */
  async close(): Promise<void> {
    this.#state = 'draining';
    this.#watchdog.stop();
    this.rollingRestart?.stop();
    this.pair?.close();
    this.#web.close();
    await this.#tcp.close();
    this.#link.close();
    this.#media?.close();
    await this.#realtime.close();
    await this.#recorder?.end('stop');
    await this.journal?.close();
  }
}
