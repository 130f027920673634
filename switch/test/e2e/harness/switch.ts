/** The switch under test: the real program with a configuration of its own, on free ports of this machine. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Config } from '../../../control/config/schema.ts';
import { makeFolder, removeFolder } from './folder.ts';
import { Metrics } from './metrics.ts';
import { freePorts } from './ports.ts';
import { processTree } from './processes.ts';
import { Program } from './program.ts';
import { REPOSITORY } from './repository.ts';
import { eventually } from './wait.ts';

/** A configuration as its file has it: every part may be missing. */
export type ConfigFile = { [K in keyof Config]?: Partial<Config[K]> | Config[K] };

export interface SwitchOptions {
  /** File in config/ to begin with; `demo.yaml` by default. */
  base?: 'demo.yaml' | 'bench.yaml' | 'bench-digest.yaml' | 'load.yaml';
  /** The program's folder, when it is a changed copy of the repository (copy.ts). */
  program?: string;
  /** Changes to it, after it got its own ports. */
  change?: (config: ConfigFile) => void;
}

/** Ports of phones' media: enough for 60 legs. */
const MEDIA_PORTS = 120;
export const API_TOKEN = 'token-of-the-end-to-end-tests';
/** Transactions are kept for 64 of these after their end: 32 s with the default of 500 ms would make a slow test run. */
const T1_MS = 100;
/** Ready within this: a cold start on a busy machine. */
const READY_TIMEOUT_MS = 20_000;

/** One row of `GET /api/v1/calls`. */
export interface ApiCall {
  id: string;
  callId: string;
  from: string;
  to: string;
  state: string;
  startedAt: string;
}

export class Switch {
  readonly program: Program;
  /** `127.0.0.1:port` of SIP over UDP and TCP. */
  readonly sip: string;
  /** `127.0.0.1:port` of the web server. */
  readonly web: string;
  /** Port that its trunk `outside` leads to. */
  readonly trunkPort: number;
  readonly #folder: string;

  private constructor(folder: string, ports: Ports, program: string) {
    this.#folder = folder;
    this.sip = `127.0.0.1:${ports.sip}`;
    this.web = `127.0.0.1:${ports.web}`;
    this.trunkPort = ports.trunk;
    this.program = new Program({
      name: 'switch',
      command: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        join(program, 'switch/main.ts'),
        '--config',
        join(folder, 'config.yaml'),
      ],
      cwd: folder,
    });
  }

  /** Starts it and waits until it is ready. */
  static async start(options: SwitchOptions = {}): Promise<Switch> {
    const folder = makeFolder('switch');
    const ports = await choosePorts();
    const text = readFileSync(join(REPOSITORY, 'config', options.base ?? 'demo.yaml'), 'utf8');
    const config = parse(text) as ConfigFile;
    adapt(config, ports);
    options.change?.(config);
    writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config, null, 2));
    const instance = new Switch(folder, ports, options.program ?? REPOSITORY);
    try {
      await instance.program.line(/^strowger ready/, READY_TIMEOUT_MS);
    } catch (error) {
      await instance.stop();
      throw error;
    }
    return instance;
  }

  /** Folder of its configuration, and of what it writes. */
  get folder(): string {
    return this.#folder;
  }

  /** Downloads from the API. */
  async download(path: string): Promise<Uint8Array> {
    const response = await fetch(`http://${this.web}/api/v1${path}`, {
      headers: { authorization: `Bearer ${API_TOKEN}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Address of the WebSocket for SIP. */
  get webSocket(): string {
    return `ws://${this.web}/sip`;
  }

  async metrics(): Promise<Metrics> {
    const response = await fetch(`http://${this.web}/metrics`, {
      headers: { authorization: `Bearer ${API_TOKEN}` },
    });
    return new Metrics(await response.text());
  }

  /** Waits until a metric (summed over the labels not given) fits; it is read from counters copied now and then. */
  async reads(
    name: string,
    fits: (value: number) => boolean,
    labels: Record<string, string> = {},
  ): Promise<void> {
    await eventually(
      `${name} ${JSON.stringify(labels)} ${fits}`,
      async () => {
        const value = (await this.metrics()).sum(name, labels);
        if (!fits(value)) throw new Error(String(value));
        return true;
      },
      5_000,
      100,
    );
  }

  /** Calls the API and returns the parsed body; throws on any status but 2xx. */
  async api<T>(path: string, method = 'GET'): Promise<T> {
    const response = await fetch(`http://${this.web}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${API_TOKEN}` },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** The calls it knows of. */
  async calls(): Promise<ApiCall[]> {
    return (await this.api<{ calls: ApiCall[] }>('/calls')).calls;
  }

  /**
   * Waits until no call, transaction or media leg is left, and as many bindings as said. Transactions take up
   * to 64 * T1 after the last message (RFC 3261 timers D, H and J).
   */
  async empties(bindings: number, timeoutMs = 10_000): Promise<void> {
    await eventually(
      `no calls, transactions or media legs left, ${bindings} bindings`,
      async () => {
        const metrics = await this.metrics();
        const left = {
          calls: metrics.sum('strowger_calls_active'),
          transactions: metrics.sum('strowger_transactions_active'),
          legs: metrics.sum('strowger_media_legs'),
          bindings: metrics.sum('strowger_bindings') - bindings,
        };
        if (Object.values(left).some((count) => count !== 0)) throw new Error(JSON.stringify(left));
        return true;
      },
      timeoutMs,
      100,
    );
  }

  /** Ids of its mediasoup workers. */
  workerPids(): number[] {
    return processTree(this.program.pid)
      .filter(({ name }) => name.startsWith('mediasoup-work'))
      .map(({ pid }) => pid);
  }

  /** Stops it; returns the names of processes that did not end in order. */
  async stop(): Promise<string[]> {
    const killed = await this.program.stop('SIGTERM', 8_000);
    removeFolder(this.#folder);
    return killed;
  }
}

interface Ports {
  sip: number;
  web: number;
  trunk: number;
  webrtc: number;
  media: number;
}

async function choosePorts(): Promise<Ports> {
  return {
    sip: await freePorts(),
    web: await freePorts(),
    trunk: await freePorts(),
    webrtc: await freePorts(4),
    media: await freePorts(MEDIA_PORTS),
  };
}

/** Ports and a token of our own, no waiting at the end; shorter timers where the test is not about load. */
function adapt(config: ConfigFile, ports: Ports): void {
  const sip = `127.0.0.1:${ports.sip}`;
  config.listen = { udp: [sip], tcp: [sip] };
  config.http = {
    ...config.http,
    listen: `127.0.0.1:${ports.web}`,
    origins: [`http://localhost:${ports.web}`],
    metrics: 'open',
    tokens: [{ name: 'tests', token: API_TOKEN }],
  };
  config.trunks = [
    { name: 'outside', gateways: [{ address: `127.0.0.1:${ports.trunk}`, transport: 'udp', priority: 0 }] },
  ];
  config.media = {
    ...config.media,
    portMin: ports.media,
    portMax: ports.media + MEDIA_PORTS - 1,
    webrtcPort: ports.webrtc,
  };
  config.calls = { ...config.calls, drainS: 0 };
  // Where they are not what is tested.
  config.availability = { ...config.availability, standby: false };
  config.store = {};
  if (config.media.anchor) config.timers = { t1Ms: T1_MS };
}
