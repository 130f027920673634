/** SIPp runs with our scenario files (loadtest/sipp), judged by SIPp's own statistics. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, removeFolder } from './folder.ts';
import { freePorts } from './ports.ts';
import { Program } from './program.ts';
import { REPOSITORY } from './repository.ts';
import { sleep } from './wait.ts';

export interface SippOptions {
  /** File in loadtest/sipp, without `.xml`. */
  scenario: string;
  /** Where it sends to, `host:port`; callers only. */
  remote?: string;
  /** Its own address; 127.0.0.1 by default. */
  address?: string;
  /** Its own port; a free one by default. */
  port?: number;
  transport?: 'udp' | 'tcp';
  /** Calls to make, or to answer before it ends; without it, it answers until it is stopped. */
  calls?: number;
  /** Calls begun per second. */
  rate?: number;
  /** From answer to hang-up, ms; 100 by default. */
  holdMs?: number;
  /** Value of `[service]`. */
  service?: string;
  /** Lines of the injection file: `[field0]`, `[field1]` and so on are their parts between semicolons. */
  fields?: string[];
  /** Keep every message sent and received, for {@link Sipp.messages}. */
  trace?: boolean;
}

/** More calls than this are not begun before others have ended. */
const CALLS_AT_ONCE_MAX = 20_000;

/** Totals of a run, as SIPp counted them. */
export interface SippStats {
  successful: number;
  failed: number;
  retransmissions: number;
  /** Messages that no call of it expected. */
  unexpected: number;
}

export class Sipp {
  readonly port: number;
  readonly program: Program;
  readonly #folder: string;

  private constructor(options: SippOptions, folder: string, port: number) {
    this.port = port;
    this.#folder = folder;
    this.program = new Program({
      name: `sipp ${options.scenario}`,
      command: 'sipp',
      args: commandLine(options, folder, port),
      cwd: folder,
      env: { TERM: 'dumb' },
    });
  }

  /** Starts a run; a server side listens when this resolves. */
  static async start(options: SippOptions): Promise<Sipp> {
    const folder = makeFolder(`sipp-${options.scenario}`);
    if (options.fields)
      writeFileSync(join(folder, 'fields.csv'), `SEQUENTIAL\n${options.fields.join('\n')}\n`);
    const sipp = new Sipp(options, folder, options.port ?? (await freePorts()));
    if (!options.remote) await sleep(300); // it says nothing when its socket is open
    if (!options.remote && !sipp.program.running) throw new Error(`SIPp did not start\n${sipp.report()}`);
    return sipp;
  }

  /**
   * Waits for the end of the run and returns its totals. Throws when it takes longer than `timeoutMs`, or when
   * SIPp could not run at all; failed calls are for the caller to judge.
   */
  async finished(timeoutMs: number): Promise<SippStats> {
    const code = await Promise.race([this.program.exited, sleep(timeoutMs).then(() => 'late' as const)]);
    if (code === 'late') {
      await this.program.stop('SIGINT', 2_000);
      throw new Error(
        `SIPp was not done within ${timeoutMs} ms: ${JSON.stringify(this.stats())}\n${this.report()}`,
      );
    }
    if (code !== 0 && code !== 1) throw new Error(`SIPp ended with ${code}\n${this.report()}`);
    return this.stats();
  }

  /** Totals so far (SIPp writes them every second and at its end). */
  stats(): SippStats {
    const file = join(this.#folder, 'stats.csv');
    const [head = '', ...rows] = existsSync(file) ? readFileSync(file, 'latin1').trim().split('\n') : [];
    const names = head.split(';');
    const values = (rows.at(-1) ?? '').split(';');
    const value = (name: string) => Number(values[names.indexOf(name)] ?? 0);
    return {
      successful: value('SuccessfulCall(C)'),
      failed: value('FailedCall(C)'),
      retransmissions: value('Retransmissions(C)'),
      unexpected: value('FailedUnexpectedMessage(C)') + value('OutOfCallMsgs(C)'),
    };
  }

  /** Every message sent and received; needs `trace`. */
  messages(): string {
    const file = join(this.#folder, 'messages.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** What it says about failures: the beginning of its error log and the end of its output. */
  report(): string {
    const file = join(this.#folder, 'errors.log');
    const errors = existsSync(file) ? readFileSync(file, 'latin1').slice(0, 3_000) : '';
    return `${errors}\n${this.program.tail(60)}`;
  }

  async stop(): Promise<void> {
    await this.program.stop('SIGKILL', 0);
    removeFolder(this.#folder);
  }
}

function commandLine(options: SippOptions, folder: string, port: number): string[] {
  const args = options.remote ? [options.remote] : [];
  args.push('-sf', join(REPOSITORY, 'loadtest/sipp', `${options.scenario}.xml`));
  args.push('-i', options.address ?? '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1');
  args.push('-t', options.transport === 'tcp' ? 't1' : 'u1');
  args.push('-nostdin', '-trace_stat', '-stf', join(folder, 'stats.csv'), '-fd', '1');
  args.push('-trace_err', '-error_file', join(folder, 'errors.log'));
  if (options.fields) args.push('-auth_uri', 'strowger.test'); // its own would name the proxy's address
  if (options.trace) args.push('-trace_msg', '-message_file', join(folder, 'messages.log'));
  if (options.calls !== undefined) args.push('-m', String(options.calls));
  if (options.rate !== undefined) args.push('-r', String(options.rate), '-l', String(CALLS_AT_ONCE_MAX));
  args.push('-d', String(options.holdMs ?? 100));
  if (options.service !== undefined) args.push('-s', options.service);
  if (options.fields) args.push('-inf', join(folder, 'fields.csv'));
  return args;
}
