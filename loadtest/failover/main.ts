/**
 * `npm run bench:failover`: kills and stops the active node of a pair under load, and tells what callers notice; and what following costs
 * the active node.
 *
 *   npm run bench:failover -- [--kills 20] [--hangs 10] [--rate 200] [--established 1000] [--json]
 *
 * Calls are placed by SIPp, `rate` a second, held so long that `established` are up at a time. A call is lost when SIPp counts it as failed. Time to
 * service: from the signal to the answer of the first OPTIONS in a dialog that was sent after it, one every 2 ms.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { callerDialog, type Dialog } from '../../switch/test/e2e/harness/dialog.ts';
import { type ApiNode, nodeOf, synced } from '../../switch/test/e2e/harness/pair.ts';
import { processStat } from '../../switch/test/e2e/harness/processes.ts';
import { Sipp } from '../../switch/test/e2e/harness/sipp.ts';
import { type ConfigFile, Switch } from '../../switch/test/e2e/harness/switch.ts';
import { ANSWER, Ua } from '../../switch/test/e2e/harness/ua.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';
import { probe } from '../latency/prober.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    hangs: { type: 'string', default: '10' },
    rate: { type: 'string', default: '200' },
    established: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});
const [kills, hangs, rate, established] = [values.kills, values.hangs, values.rate, values.established].map(
  (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`"${text}" is no number of that kind`);
    return value;
  },
) as [number, number, number, number];

const OPTIONS_EVERY_MS = 2;
/** A node has to be back, and to have everything, within this. */
const PATIENCE_MS = 10_000;
const MIRROR_RATE = 1_000;
const MIRROR_SECONDS = 10;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const withStandby =
  (standby: boolean) =>
  (config: ConfigFile): void => {
    config.availability = { standby };
    config.users = [
      { user: 'bob', password: 'bob' },
      { user: 'carol', password: 'carol' },
    ] as never;
  };

/** A call of our own, in which OPTIONS are sent. */
class Probe {
  readonly #caller: Ua;
  readonly #callee: Ua;
  #dialog!: Dialog;
  #stopped = false;

  private constructor(caller: Ua, callee: Ua) {
    this.#caller = caller;
    this.#callee = callee;
  }

  static async start(at: Switch): Promise<Probe> {
    const one = new Probe(
      await Ua.open({ user: 'dave', proxy: at.sip }),
      await Ua.open({ user: 'carol', password: 'carol', proxy: at.sip }),
    );
    await one.#callee.register();
    const invite = await one.#caller.invite(one.#callee.aor);
    const arrived = await one.#callee.incoming('INVITE');
    one.#callee.reply(arrived, 200, 'OK', { body: ANSWER });
    one.#dialog = callerDialog(invite, await one.#caller.answer(invite));
    one.#caller.send(one.#caller.within(one.#dialog, 'ACK'));
    await one.#callee.incoming('ACK');
    void one.#answer();
    return one;
  }

  async #answer(): Promise<void> {
    while (!this.#stopped) {
      const request = await this.#callee.incoming('OPTIONS').catch(() => null);
      if (request !== null) this.#callee.reply(request, 200, 'OK');
    }
  }

  /** How long it takes from now until a request sent from now on is answered, ms. */
  async untilServed(): Promise<number> {
    const fromMs = performance.now();
    const timer = setInterval(
      () => this.#caller.send(this.#caller.within(this.#dialog, 'OPTIONS')),
      OPTIONS_EVERY_MS,
    );
    try {
      const late = sleep(PATIENCE_MS).then(() => null);
      const first = await Promise.race([
        this.#caller.inbox.take(
          'service',
          ({ message, at }) => message.status === 200 && at > fromMs,
          PATIENCE_MS,
          ({ message }) => message.startLine,
        ),
        late,
      ]);
      if (first === null) throw new Error(`no service within ${PATIENCE_MS} ms`);
      return first.at - fromMs;
    } finally {
      clearInterval(timer);
    }
  }

  /** Forgets the answers that are still on their way. */
  async settle(): Promise<void> {
    await sleep(300);
    while (this.#caller.inbox.poll() !== undefined);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#caller.leave(), this.#callee.leave()]);
  }
}

interface Outcome {
  established: number;
  failed: number;
  completed: number;
  unmirrored: number;
  killMs: number[];
  hangMs: number[];
  takeoverMs: number[];
}

async function fail(): Promise<Outcome> {
  const strowger = await Switch.start({ base: 'bench.yaml', change: withStandby(true) });
  const outcome: Outcome = {
    established: 0,
    failed: 0,
    completed: 0,
    unmirrored: 0,
    killMs: [],
    hangMs: [],
    takeoverMs: [],
  };
  const callee = await Sipp.start({ scenario: 'answer' });
  const registrar = await Ua.open({ user: 'bob', password: 'bob', proxy: strowger.sip });
  await registrar.register({ contacts: [`<sip:bob@127.0.0.1:${callee.port}>`] });
  const probeCall = await Probe.start(strowger);
  const holdMs = Math.round((established / rate) * 1_000);
  const caller = await Sipp.start({
    scenario: 'call',
    remote: strowger.sip,
    rate,
    holdMs,
    service: 'bob',
    calls: 10_000_000,
  });
  try {
    await sleep(holdMs + 1_000);
    for (let i = 0; i < kills + hangs; i++) {
      const before = await synced(strowger);
      await sleep(500 + Math.random() * 1_000);
      outcome.unmirrored += before.mirror?.unmirrored ?? 0;
      outcome.established += (await strowger.metrics()).sum('strowger_calls', { state: 'answered' });
      const isKill = i < kills;
      process.kill(before.pid, isKill ? 'SIGKILL' : 'SIGSTOP');
      const ms = await probeCall.untilServed();
      (isKill ? outcome.killMs : outcome.hangMs).push(ms);
      if (!isKill) process.kill(before.pid, 'SIGCONT');
      await probeCall.settle();
      const after: ApiNode = await nodeOf(strowger, 'active');
      outcome.takeoverMs.push(after.takeoverMs ?? 0);
      const { failed, successful } = caller.stats();
      say(
        `${isKill ? 'kill' : 'hang'} ${i + 1} of ${kills + hangs}: service after ${ms.toFixed(1)} ms; ${successful} calls completed, ${failed} failed`,
      );
    }
    caller.program.signal('SIGUSR1'); // no new calls; it ends when the last has ended
    Object.assign(
      outcome,
      await caller
        .finished(holdMs + 60_000)
        .then(({ failed, successful }) => ({ failed, completed: successful })),
    );
    if (outcome.failed > 0) say(caller.report());
  } finally {
    await probeCall.stop().catch(() => undefined);
    await Promise.all([caller.stop(), callee.stop()]);
    await registrar.leave().catch(() => undefined);
    await strowger.stop();
  }
  return outcome;
}

interface Cost {
  cpuUsPerCall: number;
  failed: number;
  /** Of the acknowledgements seen, s. */
  ackMs: number[];
}

/** CPU of the active node's process per call. */
async function cost(standby: boolean): Promise<Cost> {
  const strowger = await Switch.start({ base: 'bench.yaml', change: withStandby(standby) });
  try {
    const node = standby ? await synced(strowger) : await nodeOf(strowger, 'active');
    const load = {
      callsPerSecond: MIRROR_RATE,
      seconds: MIRROR_SECONDS,
      holdMs: 100,
      user: 'bob',
      domain: 'strowger.test',
    };
    const beforeUs = processStat(node.pid)!.cpuUs;
    const calls = (await strowger.metrics()).sum('strowger_calls_total');
    const ackMs: number[] = [];
    const look = setInterval(() => {
      void strowger
        .metrics()
        .then((metrics) => ackMs.push(metrics.sum('strowger_mirror_ack_seconds') * 1_000));
    }, 50);
    const { failed } = await probe({ ...load, proxy: strowger.sip, pid: strowger.program.pid });
    clearInterval(look);
    const cpuUs = processStat(node.pid)!.cpuUs - beforeUs;
    const placed = (await strowger.metrics()).sum('strowger_calls_total') - calls;
    return { cpuUsPerCall: cpuUs / placed, failed, ackMs };
  } finally {
    await strowger.stop();
  }
}

function quantile(sorted: number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

function line(name: string, ms: number[]): string {
  const sorted = [...ms].sort((a, b) => a - b);
  const [p50, p99, max] = [quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.at(-1) ?? Number.NaN];
  return `${name.padEnd(52)} p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms (${ms.length})`;
}

const outcome = await fail();
const rounds: { without: Cost; with: Cost }[] = [];
for (let i = 0; i < 3; i++) {
  say(`cost of the mirror, round ${i + 1} of 3 ...`);
  rounds.push({ without: await cost(false), with: await cost(true) });
}
const median = (values: number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
const without = median(rounds.map((round) => round.without.cpuUsPerCall));
const mirrored = median(rounds.map((round) => round.with.cpuUsPerCall));
const result = {
  at: new Date().toISOString(),
  options: { kills, hangs, rate, established },
  outcome,
  rounds,
};
writeFileSync(
  join(import.meta.dirname, '../results', `failover-${result.at.slice(0, 19).replaceAll(':', '')}.json`),
  `${JSON.stringify(result, null, 1)}\n`,
);
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else
  process.stdout.write(
    `${[
      `calls up when the node was killed or stopped, in all   ${outcome.established}`,
      `calls completed / failed                               ${outcome.completed} / ${outcome.failed}`,
      `answers sent without an acknowledgement                ${outcome.unmirrored}`,
      line('kill -9 to the first request answered', outcome.killMs),
      line('SIGSTOP to the first request answered', outcome.hangMs),
      line('of that, taking over', outcome.takeoverMs),
      `CPU of the active node per call at ${MIRROR_RATE}/s: ${mirrored.toFixed(1)} µs with a standby, ${without.toFixed(1)} without: ${(mirrored / without).toFixed(2)}`,
      line(
        'acknowledgements (a sample each 50 ms)',
        rounds.flatMap((round) => round.with.ackMs),
      ),
    ].join('\n')}\n`,
  );
