/** A Kamailio to compare with, on a free port, with one UDP worker and its fast memory manager. */
import { join } from 'node:path';
import { freePorts } from '../../switch/test/e2e/harness/ports.ts';
import { Program } from '../../switch/test/e2e/harness/program.ts';
import { Ua } from '../../switch/test/e2e/harness/ua.ts';
import { eventually } from '../../switch/test/e2e/harness/wait.ts';

/** Shared memory for the transactions of 32 s at some thousand calls a second. */
const SHARED_MB = 2_048;

export interface KamailioOptions {
  /** File beside this one: `kamailio.cfg` is transaction-stateful, `kamailio-stateless.cfg` keeps no state of calls. */
  config: 'kamailio.cfg' | 'kamailio-stateless.cfg';
  /** Names that the file's `#!ifdef` ask for. */
  defines?: string[];
}

export class Kamailio {
  /** `127.0.0.1:port` */
  readonly sip: string;
  readonly program: Program;

  private constructor(options: KamailioOptions, port: number) {
    this.sip = `127.0.0.1:${port}`;
    const memory = ['-x', 'fm', '-X', 'fm', '-m', String(SHARED_MB)];
    this.program = new Program({
      name: 'kamailio',
      command: 'kamailio',
      args: [
        '-f',
        join(import.meta.dirname, options.config),
        ...(options.defines ?? []).flatMap((name) => ['-A', name]),
        '-l',
        `udp:${this.sip}`,
        '-DD',
        '-E',
        ...memory,
      ],
    });
  }

  /** Starts it and waits until it answers. */
  static async start(options: KamailioOptions = { config: 'kamailio.cfg' }): Promise<Kamailio> {
    const kamailio = new Kamailio(options, await freePorts());
    const probe = await Ua.open({ user: 'probe', proxy: kamailio.sip });
    try {
      await eventually(
        'an answer of Kamailio',
        () => probe.transact(probe.request('OPTIONS', 'sip:nobody@strowger.test'), 200),
        5_000,
      );
    } catch (error) {
      const tail = kamailio.program.tail(20);
      await kamailio.stop();
      throw new Error(`${(error as Error).message}\n${tail}`);
    } finally {
      probe.close();
    }
    return kamailio;
  }

  async stop(): Promise<void> {
    await this.program.stop();
  }
}
