import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, header, sent } from '../support/driver.ts';
import { request } from '../support/phone.ts';

const USERS = ['1001', '1002', '1003'];
const BINDINGS_MAX = 7;
const CONTACTS_MAX = 4;

interface Change {
  contact: number;
  expires: number;
}

type Action =
  | { kind: 'register'; user: string; callId: string; cseqStep: number; changes: Change[] }
  | { kind: 'star'; user: string; callId: string; cseqStep: number }
  | { kind: 'wait'; seconds: number };

interface Binding {
  untilS: number;
  callId: string;
  cseq: number;
}

/** What RFC 3261 10.3 says, without tables, timers or bytes. */
class Model {
  nowS = 0;
  readonly users = new Map(USERS.map((user) => [user, new Map<number, Binding>()]));
  readonly #cseqs = new Map<string, number>();

  get bindings(): number {
    return [...this.users.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get aors(): number {
    return [...this.users.values()].filter(({ size }) => size > 0).length;
  }

  /** CSeq of the next request: steps of 0 and less make it one that is too late. */
  cseq(callId: string, step: number): number {
    const last = this.#cseqs.get(callId) ?? 100;
    this.#cseqs.set(callId, Math.max(last, last + step));
    return last + step;
  }

  wait(seconds: number): void {
    this.nowS += seconds;
    for (const bindings of this.users.values()) {
      for (const [contact, { untilS }] of bindings) if (untilS <= this.nowS) bindings.delete(contact);
    }
  }

  star(user: string, callId: string, cseq: number): number {
    const bindings = this.users.get(user)!;
    if ([...bindings.values()].some((binding) => isLate(binding, callId, cseq))) return 500;
    bindings.clear();
    return 200;
  }

  register(user: string, callId: string, cseq: number, changes: readonly Change[]): number {
    const bindings = this.users.get(user)!;
    for (const { contact } of changes) {
      const binding = bindings.get(contact);
      if (binding !== undefined && isLate(binding, callId, cseq)) return 500;
    }
    const after = new Map(bindings);
    for (const { contact, expires } of changes) {
      if (expires > 0) after.set(contact, { untilS: this.nowS + expires, callId, cseq });
      else after.delete(contact);
    }
    if (after.size > bindings.size && after.size > CONTACTS_MAX) return 403;
    const added = [...after.keys()].filter((contact) => !bindings.has(contact)).length;
    if (this.bindings + added > BINDINGS_MAX) return 503;
    this.users.set(user, after);
    return 200;
  }

  list(user: string): string[] {
    const bindings = [...this.users.get(user)!];
    return bindings.map(([contact, { untilS }]) => `${uriOf(contact)};expires=${untilS - this.nowS}`).sort();
  }
}

function isLate(binding: Binding, callId: string, cseq: number): boolean {
  return binding.callId === callId && cseq <= binding.cseq;
}

const uriOf = (contact: number) => `<sip:c${contact}@127.0.0.1:${6000 + contact}>`;

function send(driver: Driver, user: string, callId: string, cseq: number, headers: string[]): string {
  const text = request({
    method: 'REGISTER',
    uri: 'sip:strowger.test',
    from: `<sip:${user}@strowger.test>;tag=r`,
    to: `<sip:${user}@strowger.test>`,
    callId,
    cseq,
    headers,
  });
  return sent(driver.message(text))[0]!.text;
}

const user = fc.constantFrom(...USERS);
const callId = fc.constantFrom('one', 'two');
const cseqStep = fc.constantFrom(1, 1, 1, 1, 2, 0, -1);
const change = fc.record({ contact: fc.nat(5), expires: fc.constantFrom(0, 60, 120, 600) });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('register' as const),
      user,
      callId,
      cseqStep,
      // A Contact that is named twice is another test's (whole.test.ts).
      changes: fc.uniqueArray(change, { maxLength: 5, minLength: 1, selector: ({ contact }) => contact }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('star' as const), user, callId, cseqStep }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(90) }) },
);

/** Does it in both; the status of the answer, 0 without one. */
function act(driver: Driver, model: Model, next: Action): number {
  if (next.kind === 'wait') {
    driver.wait(next.seconds * 1000);
    model.wait(next.seconds);
    return 0;
  }
  const cseq = model.cseq(next.callId, next.cseqStep);
  const lines =
    next.kind === 'star'
      ? ['Contact: *', 'Expires: 0']
      : next.changes.map(({ contact, expires }) => `Contact: ${uriOf(contact)};expires=${expires}`);
  const answer = send(driver, next.user, next.callId, cseq, lines);
  const expected =
    next.kind === 'star'
      ? model.star(next.user, next.callId, cseq)
      : model.register(next.user, next.callId, cseq, next.changes);
  expect(Number(answer.slice(8, 11))).toBe(expected);
  if (expected === 200) expect(header(answer, 'Contact').sort()).toEqual(model.list(next.user));
  return expected;
}

describe('the registrar', () => {
  it('does what the RFC says, whatever is asked of it in whatever order', async () => {
    const driver = await Driver.start({ bindingsMax: BINDINGS_MAX, contactsPerAorMax: CONTACTS_MAX });
    const seen = new Set<number>();
    let runs = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 10, maxLength: 60 }), (actions) => {
        const model = new Model();
        const run = ++runs;
        for (const next of actions) {
          // Call-IDs of their own, so that a run does not see the CSeq of another.
          const mine = next.kind === 'wait' ? next : { ...next, callId: `${next.callId}-${run}` };
          seen.add(act(driver, model, mine));
          const counters = [abi.C_BINDINGS, abi.C_AORS, abi.C_BLOCKS_USED].map((c) => driver.counter(c));
          expect(counters).toEqual([model.bindings, model.aors, model.bindings]);
        }
        for (const name of USERS) {
          expect(header(send(driver, name, 'fetch', 1, []), 'Contact').sort()).toEqual(model.list(name));
          send(driver, name, `end-${run}`, 1, ['Contact: *', 'Expires: 0']);
        }
        driver.wait(0);
        expect([abi.C_BINDINGS, abi.C_BLOCKS_USED, abi.C_TIMERS].map((c) => driver.counter(c))).toEqual([
          0, 0, 0,
        ]);
      }),
      { numRuns: 200 },
    );
    expect([...seen].sort()).toEqual([0, 200, 403, 500, 503]);
  });
});
