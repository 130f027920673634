/**
 * An open-loop prober: places calls through a SIP proxy on a fixed schedule, as caller and called side at once, and says
 * how much later each message arrives for having gone through the proxy.
 *
 * The schedule does not wait for anything: when the proxy (or the prober) stalls, calls go on being due, and what was sent
 * late is reported. Arrival is the kernel's receive stamp, so the prober's own waiting is not counted.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { processStat, treeCpuUs } from '../../switch/test/e2e/harness/processes.ts';

/** Messages of a call, in order. */
export const KINDS = ['INVITE', '180', '200', 'ACK', 'BYE', '200 to BYE'] as const;
export type Kind = (typeof KINDS)[number];

export interface ProbeOptions {
  /** `127.0.0.1:port`, UDP; `none` for calls without a proxy, which show what the prober itself can do. */
  proxy: string;
  callsPerSecond: number;
  /** Of calls that are counted. */
  seconds: number;
  /** Calls before, which are not counted. Default 2. */
  warmupSeconds?: number;
  /** From answer to BYE. Default 100. */
  holdMs?: number;
  /** Called user, whom the prober registers in place of all earlier bindings. Default `bob`. */
  user?: string;
  /** Default `strowger.test`. */
  domain?: string;
  /** Root of a process tree whose CPU time is measured. */
  pid?: number;
  signal?: AbortSignal;
  /** Called about once a second with the seconds since the first counted call. */
  onProgress?: (doneSeconds: number) => void;
}

/** µs; 0 when there is nothing. */
export interface Latency {
  count: number;
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

export interface ProbeResult {
  callsPerSecond: number;
  /** Calls placed after the warm-up, and what became of them. */
  calls: number;
  completed: number;
  failed: number;
  /** Of those that failed: answered with 300 or more. */
  refused: number;
  /** Messages that were sent and never arrived. */
  lost: number;
  /** Datagrams for which the prober's own sockets had no room: then it is the prober that is too slow, not the proxy. */
  dropped: number;
  /** Messages that arrived more than once; the prober itself repeats nothing. */
  retransmissions: number;
  /** How much later than due INVITEs and BYEs were sent. */
  lateUs: Latency;
  /** From sending to arrival without a proxy: the same calls between the prober's two sockets, for a second before. */
  direct: Latency;
  /** From sending to arrival through the proxy. */
  through: Record<Kind | 'all', Latency>;
  /** `through` less the median of `direct`, 0 at least. */
  added: Record<Kind | 'all', Latency>;
  /** User and system time of the tree of `pid`, per call. */
  cpuUsPerCall?: number;
  /** The same of the prober itself. */
  proberCpuUsPerCall: number;
}

/** What the child is started with. */
export type ProbeTask = Required<Omit<ProbeOptions, 'pid' | 'signal' | 'onProgress'>>;

/** What the child says. */
export type ProbeMessage =
  | { kind: 'counting' }
  | { kind: 'progress'; seconds: number }
  | { kind: 'done'; result: ProbeResult }
  | { kind: 'error'; message: string };

function positive(what: string, value: number, max: number): void {
  if (!(value > 0 && value <= max))
    throw new RangeError(`${what} is ${value}, not above 0 and at most ${max}`);
}

function checked(options: ProbeOptions): ProbeTask {
  const task = {
    warmupSeconds: 2,
    holdMs: 100,
    user: 'bob',
    domain: 'strowger.test',
    ...options,
  };
  if (process.platform !== 'linux')
    throw new Error('the prober needs Linux: it uses recvmmsg and SO_TIMESTAMPNS');
  if (task.proxy !== 'none' && !/^[\d.]+:\d+$/.test(task.proxy))
    throw new RangeError(`the proxy is ADDRESS:PORT or none, not '${task.proxy}'`);
  positive('callsPerSecond', task.callsPerSecond, 50_000);
  positive('seconds', task.seconds, 3_600);
  positive('holdMs', task.holdMs, 600_000);
  if (options.pid !== undefined && processStat(options.pid) === undefined)
    throw new RangeError(`there is no process ${options.pid}`);
  if (!(task.warmupSeconds >= 0)) throw new RangeError(`warmupSeconds is ${task.warmupSeconds}`);
  const { pid: _pid, signal: _signal, onProgress: _onProgress, ...plain } = task;
  return plain;
}

/**
 * Runs one probe, in a process of its own.
 * @throws RangeError when an option is out of range, Error when the proxy doesn't take the registration, or when aborted.
 */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const task = checked(options);
  options.signal?.throwIfAborted();
  const child = fork(new URL('./runner.ts', import.meta.url), [JSON.stringify(task)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const abort = () => child.kill('SIGKILL');
  options.signal?.addEventListener('abort', abort);
  let beganUs = 0;
  let result: ProbeResult | null = null;
  let failure = 'the prober ended without a result';
  child.on('message', (message: ProbeMessage) => {
    if (message.kind === 'counting') beganUs = options.pid ? treeCpuUs(options.pid) : 0;
    else if (message.kind === 'progress') options.onProgress?.(message.seconds);
    else if (message.kind === 'error') failure = message.message;
    else {
      result = message.result;
      if (options.pid)
        result.cpuUsPerCall = (treeCpuUs(options.pid) - beganUs) / Math.max(result.completed, 1);
    }
  });
  await once(child, 'exit');
  options.signal?.removeEventListener('abort', abort);
  options.signal?.throwIfAborted();
  if (result === null) throw new Error(failure);
  return result;
}
