/**
 * What calls and registrations cost the core: whole steps, in batches of 64 messages as the realtime thread gathers
 * them under load, in the steady state of 1,000 calls/s (each context is kept for 32 s, RFC 6026).
 */
import { CALLEE_PORT, CALLER_PORT, answer, credentials, inDialog, invite, register } from './messages.ts';
import type { Algorithm } from './messages.ts';
import { Rig, type Sent, ha1, userName } from './rig.ts';

/** Messages of one step. */
export const BATCH = 64;
/** Batches of a round. */
const BATCHES = 64;
const CALLS_PER_S = 1000;
/** How long a context is kept, with some time more. */
const LINGER_S = 33;

/** Median and least of the rounds, ns per event. */
export interface Cost {
  median: number;
  min: number;
}

export type Costs = Record<string, Cost>;

/** Collects the times of rounds by name. */
class Rounds {
  readonly #sums = new Map<string, { ns: number; events: number }>();
  readonly #rounds = new Map<string, number[]>();

  add(name: string, ms: number, events: number): void {
    const sum = this.#sums.get(name) ?? { ns: 0, events: 0 };
    this.#sums.set(name, { ns: sum.ns + ms * 1e6, events: sum.events + events });
  }

  /** Forgets what was added since the last round: it was to warm up. */
  discard(): void {
    this.#sums.clear();
  }

  end(): void {
    for (const [name, { ns, events }] of this.#sums) {
      this.#rounds.set(name, [...(this.#rounds.get(name) ?? []), ns / events]);
    }
    this.#sums.clear();
  }

  costs(): Costs {
    return Object.fromEntries([...this.#rounds].map(([name, rounds]) => [name, costOf(rounds)]));
  }
}

export function costOf(rounds: readonly number[]): Cost {
  const sorted = [...rounds].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, min: sorted[0]! };
}

/** Time of `work(times)` in rounds, ns each. */
export function timed(rounds: number, times: number, work: () => void): Cost {
  work();
  const spent = Array.from({ length: rounds }, () => {
    const start = performance.now();
    work();
    return ((performance.now() - start) * 1e6) / times;
  });
  return costOf(spent);
}

/** Steps of calls, and the stages of one INVITE. */
export async function callCosts(wasm: Uint8Array<ArrayBuffer>, rounds: number): Promise<Costs> {
  const records = CALLS_PER_S * LINGER_S * 2;
  const sizes = { transactionsMax: records, branchesMax: records, blocks256: records, blocks1k: records };
  const rig = await Rig.start(wasm, sizes);
  rig.loadBank(true);
  rig.put([register('1002', 1)], CALLEE_PORT);
  rig.step(1);
  const times = new Rounds();
  let n = 10_000;
  const play = (batches: number) => {
    for (let i = 0; i < batches; i++, n += BATCH) playCalls(rig, n, times);
  };
  play((CALLS_PER_S * LINGER_S) / BATCH);
  times.discard();
  for (let round = 0; round < rounds; round++) {
    play(BATCHES);
    times.end();
  }
  return { ...stageCosts(rig, n, rounds), ...times.costs() };
}

/** 64 calls side by side, from the INVITE to the 200 of the BYE. */
function playCalls(rig: Rig, first: number, times: Rounds): void {
  const callee = (messages: readonly Sent[]) => messages.filter(({ port }) => port === CALLEE_PORT).map(text);
  const caller = (messages: readonly Sent[]) => messages.filter(({ port }) => port === CALLER_PORT).map(text);
  const step = (name: string, messages: readonly string[], port: number) => {
    rig.put(messages, port);
    rig.step(BATCH);
    times.add(name, rig.spentMs, BATCH);
    return rig.sent();
  };
  rig.nowUs += (BATCH / CALLS_PER_S) * 1e6;
  rig.step(0);
  times.add('context ends (timer)', rig.spentMs, BATCH);
  const ids = Array.from({ length: BATCH }, (_, i) => first + i);
  const invites = callee(
    step(
      'INVITE',
      ids.map((n) => invite(n, '1002')),
      CALLER_PORT,
    ),
  );
  step(
    '180 Ringing',
    invites.map((text) => answer(text, '180 Ringing')),
    CALLEE_PORT,
  );
  const oks = caller(
    step(
      '200 OK',
      invites.map((text) => answer(text, '200 OK', true)),
      CALLEE_PORT,
    ),
  );
  step(
    'ACK',
    oks.map((ok, i) => inDialog('ACK', 1, ids[i]!, ok)),
    CALLER_PORT,
  );
  const byes = callee(
    step(
      'BYE',
      oks.map((ok, i) => inDialog('BYE', 2, ids[i]!, ok)),
      CALLER_PORT,
    ),
  );
  const ended = step(
    '200 OK to BYE',
    byes.map((bye) => answer(bye, '200 OK')),
    CALLEE_PORT,
  );
  if (ended.length !== BATCH) throw new Error(`${ended.length} of ${BATCH} calls ended as they should`);
}

function text(message: Sent): string {
  return message.text;
}

function stageCosts(rig: Rig, first: number, rounds: number): Costs {
  const messages = Array.from({ length: BATCH }, (_, i) => invite(first + i, '1002'));
  rig.put(messages, CALLER_PORT);
  const { stages } = rig;
  const passes = 200;
  if (stages.benchParse(BATCH, 1) !== 0) throw new Error('the bench INVITE does not parse');
  if (stages.benchRoute(1) !== 200) throw new Error('the bench INVITE leads nowhere');
  rig.step(BATCH);
  if (stages.benchRewrite(1) === 0) throw new Error('there is no INVITE to forward');
  const times = passes * BATCH;
  return {
    parse: timed(rounds, times, () => stages.benchParse(BATCH, passes)),
    route: timed(rounds, times, () => stages.benchRoute(times)),
    rewrite: timed(rounds, times, () => stages.benchRewrite(times)),
  };
}

/** Steps of registrations: refreshed bindings, without digest and with. */
export async function registerCosts(wasm: Uint8Array<ArrayBuffer>, rounds: number): Promise<Costs> {
  return { ...(await plainRegisters(wasm, rounds)), ...(await digestRegisters(wasm, rounds)) };
}

async function plainRegisters(wasm: Uint8Array<ArrayBuffer>, rounds: number): Promise<Costs> {
  const rig = await Rig.start(wasm);
  rig.loadBank(true);
  const times = new Rounds();
  let n = 0;
  const play = () => {
    for (let i = 0; i < BATCHES; i++, n += BATCH) {
      const messages = Array.from({ length: BATCH }, (_, k) => register(userName(n + k), n + k + 1));
      rig.put(messages, CALLEE_PORT);
      rig.nowUs += 1000;
      rig.step(BATCH);
      times.add('REGISTER', rig.spentMs, BATCH);
    }
  };
  play();
  times.discard();
  for (let i = 0; i < rounds; i++) {
    play();
    times.end();
  }
  return times.costs();
}

async function digestRegisters(wasm: Uint8Array<ArrayBuffer>, rounds: number): Promise<Costs> {
  const rig = await Rig.start(wasm);
  rig.loadBank(false);
  const times = new Rounds();
  let n = 0;
  const play = (algorithm: Algorithm) => {
    const users = Array.from({ length: BATCH }, (_, k) => userName(n + k));
    rig.put(
      users.map((user, k) => register(user, n + k + 1)),
      CALLEE_PORT,
    );
    rig.nowUs += 1000;
    rig.step(BATCH);
    times.add('REGISTER, challenged', rig.spentMs, BATCH);
    const answers = rig.sent().map(({ text }, k) => {
      const proof = ha1(algorithm, users[k]!).toString('hex');
      return register(users[k]!, n + k + 2, credentials(text, algorithm, users[k]!, proof));
    });
    rig.put(answers, CALLEE_PORT);
    rig.step(BATCH);
    times.add(`REGISTER with digest, ${algorithm}`, rig.spentMs, BATCH);
    if (!rig.sent().every(({ text }) => text.startsWith('SIP/2.0 200 ')))
      throw new Error('a digest was refused');
    n += BATCH;
  };
  const round = () => {
    for (let i = 0; i < BATCHES / 4; i++) {
      play('MD5');
      play('SHA-256');
    }
  };
  round();
  times.discard();
  for (let i = 0; i < rounds; i++) {
    round();
    times.end();
  }
  return times.costs();
}
