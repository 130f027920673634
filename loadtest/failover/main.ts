/**
 * `npm run bench:failover`: kills and stops the active node of a pair under load, and tells what callers notice; and what following costs
 * the active node.
 *
 *   npm run bench:failover -- [--kills 20] [--hangs 10] [--rate 200] [--established 1000] [--restarts 5] [--bindings 100000] [--rounds 3] [--json]
 *
 * Each part is left out with 0: `--kills 0 --hangs 0`, `--restarts 0`, `--rounds 0` (of measuring the cost).
 *
 * Calls are placed by SIPp, `rate` a second, held so long that `established` are up at a time. A call is lost when SIPp counts it as failed. Time to
 * service: from the signal to the answer of the first OPTIONS in a dialog that was sent after it, one every 2 ms. At a restart both nodes are killed
 * at once, with `bindings` users registered; its OPTIONS go to the switch itself, and a binding is lost that the switch has no more.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { callerDialog, type Dialog } from '../../switch/test/e2e/harness/dialog.ts';
import { type ApiNode, nodeOf, synced } from '../../switch/test/e2e/harness/pair.ts';
import { processStat } from '../../switch/test/e2e/harness/processes.ts';
import { Sipp } from '../../switch/test/e2e/harness/sipp.ts';
import { type ConfigFile, Switch } from '../../switch/test/e2e/harness/switch.ts';
import { ANSWER, Ua } from '../../switch/test/e2e/harness/ua.ts';
import { sleep } from '../../switch/test/e2e/harness/wait.ts';
import { registerAll } from '../bench/registrations.ts';
import { probe } from '../latency/prober.ts';
import { Callee } from './callee.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    hangs: { type: 'string', default: '10' },
    rate: { type: 'string', default: '200' },
    established: { type: 'string', default: '1000' },
    restarts: { type: 'string', default: '5' },
    bindings: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

function whole(name: Exclude<keyof typeof values, 'json'>): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${values[name]}: a whole number`);
  return value;
}

const [kills, hangs, rate, established] = [
  whole('kills'),
  whole('hangs'),
  whole('rate'),
  whole('established'),
];
const [restarts, bindings] = [whole('restarts'), whole('bindings')];

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
  const callee = await Callee.start();
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
    await caller.stop();
    callee.stop();
    await registrar.leave().catch(() => undefined);
    await strowger.stop();
  }
  return outcome;
}

interface Restarts {
  serviceMs: number[];
  lost: number;
}

/** Registrations per second while the table is filled, and the first user that config/bench.yaml knows. */
const REGISTER_RATE = 5_000;
const FIRST_USER = 1_000_000;

/** A process that has run this long is started again at once (switch/supervisor/backoff.ts). */
const HEALTHY_MS = 31_000;

/** Both nodes are killed, `restarts` times. */
async function restart(): Promise<Restarts> {
  const folder = mkdtempSync(join(tmpdir(), 'strowger-failover-'));
  const strowger = await Switch.start({
    base: 'bench.yaml',
    change: (config) => {
      config.availability = { standby: true };
      config.store = { file: join(folder, 'registrations.db') };
    },
  });
  const result: Restarts = { serviceMs: [], lost: 0 };
  const registered = async (): Promise<number> => (await strowger.metrics()).sum('strowger_bindings');
  const client = await Ua.open({ user: 'erin', proxy: strowger.sip });
  try {
    say(`registering ${bindings} users, ${bindings / REGISTER_RATE} s ...`);
    const load = { proxy: strowger.sip, first: FIRST_USER, count: bindings };
    const done = await registerAll({ ...load, registrationsPerSecond: REGISTER_RATE });
    if (done.completed < bindings) throw new Error(`only ${done.completed} of ${bindings} users registered`);
    for (let i = 0; i < restarts; i++) {
      const active = await synced(strowger);
      if (i > 0) await sleep(HEALTHY_MS); // else the supervisor waits longer
      const standby = await nodeOf(strowger, 'standby');
      while ((await strowger.metrics()).sum('strowger_journal_waiting') > 0) await sleep(100);
      const before = await registered();
      const fromMs = performance.now();
      for (const { pid } of [standby, active]) process.kill(pid, 'SIGKILL');
      for (let served = false; !served; ) {
        const options = client.request('OPTIONS', 'sip:strowger.test');
        client.send(options);
        served = await client
          .next('service', (message) => message.status === 200, OPTIONS_EVERY_MS)
          .then(
            () => true,
            () => performance.now() - fromMs > PATIENCE_MS,
          );
      }
      const ms = performance.now() - fromMs;
      await synced(strowger, active.pid);
      const lost = before - (await registered());
      while (client.inbox.poll() !== undefined);
      result.serviceMs.push(ms);
      result.lost += lost;
      say(
        `restart ${i + 1} of ${restarts}: service after ${ms.toFixed()} ms; ${lost} of ${before} bindings lost`,
      );
    }
  } finally {
    await client.leave().catch(() => undefined);
    await strowger.stop();
    rmSync(folder, { recursive: true });
  }
  return result;
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

const outcome = kills + hangs > 0 ? await fail() : null;
const restarted = restarts > 0 ? await restart() : null;
const rounds: { without: Cost; with: Cost }[] = [];
for (let i = 0; i < whole('rounds'); i++) {
  say(`cost of the mirror, round ${i + 1} of ${values.rounds} ...`);
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
  options: { kills, hangs, rate, established, restarts, bindings },
  outcome,
  restarted,
  rounds,
};
writeFileSync(
  join(import.meta.dirname, '../results', `failover-${result.at.slice(0, 19).replaceAll(':', '')}.json`),
  `${JSON.stringify(result, null, 1)}\n`,
);
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else process.stdout.write(`${[...failed(), ...back(), ...costs()].join('\n')}\n`);

function failed(): string[] {
  if (outcome === null) return [];
  return [
    `calls up when the node was killed or stopped, in all   ${outcome.established}`,
    `calls completed / failed                               ${outcome.completed} / ${outcome.failed}`,
    `answers sent without an acknowledgement                ${outcome.unmirrored}`,
    line('kill -9 to the first request answered', outcome.killMs),
    line('SIGSTOP to the first request answered', outcome.hangMs),
    line('of that, taking over', outcome.takeoverMs),
  ];
}

function back(): string[] {
  if (restarted === null) return [];
  return [
    line(`kill -9 of both, ${bindings} bindings, to service`, restarted.serviceMs),
    `bindings lost                                          ${restarted.lost}`,
  ];
}

function costs(): string[] {
  if (rounds.length === 0) return [];
  const ackMs = rounds.flatMap((round) => round.with.ackMs);
  return [
    `CPU of the active node per call at ${MIRROR_RATE}/s: ${mirrored.toFixed(1)} µs with a standby, ${without.toFixed(1)} without: ${(mirrored / without).toFixed(2)}`,
    line('acknowledgements (a sample each 50 ms)', ackMs),
  ];
}
