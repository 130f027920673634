import fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { credentials, proofOf } from '../auth/credentials.ts';
import { validRequest } from '../sip/grammar.ts';
import { ASSEMBLY, compile } from '../support/compile.ts';
import { Driver, type Effect, header, sent, testBank } from '../support/driver.ts';
import { answer, request, routes } from '../support/phone.ts';

const SCALAR = compile('core-test', [join(ASSEMBLY, 'core.ts')], 'scalar');

/** The shipped core and one without SIMD, given the same events. */
class Pair {
  readonly #drivers: readonly Driver[];

  static async start(bank?: Uint8Array): Promise<Pair> {
    return new Pair([await Driver.start({}, bank), await Driver.start({}, bank, SCALAR)]);
  }

  private constructor(drivers: readonly Driver[]) {
    this.#drivers = drivers;
  }

  /** Effects of one event, which must be the same to the byte. */
  #both(work: (driver: Driver) => Effect[]): Effect[] {
    const [effects, others] = this.#drivers.map(work) as [Effect[], Effect[]];
    expect(others).toEqual(effects);
    return effects;
  }

  message(text: string, port = 5070): Effect[] {
    return this.#both((driver) => driver.message(text, { port }));
  }

  bytes(bytes: Uint8Array): Effect[] {
    return this.#both((driver) => driver.bytes(bytes));
  }

  wait(ms: number): Effect[] {
    return this.#both((driver) => driver.wait(ms));
  }
}

function registration(user: string, port: number, headers: string[] = []): string {
  return request({
    method: 'REGISTER',
    uri: 'sip:strowger.test',
    from: `<sip:${user}@strowger.test>;tag=r`,
    to: `<sip:${user}@strowger.test>`,
    port,
    headers: [`Contact: <sip:${user}@127.0.0.1:${port}>`, ...headers],
  });
}

describe('the core without SIMD says the same to the byte', () => {
  it('of a call, from the INVITE to the end of its context', async () => {
    const pair = await Pair.start();
    pair.message(registration('1002', 5080), 5080);
    const arrived = sent(pair.message(request({ callId: 'one', body: 'v=0\r\n' }))).at(-1)!.text;
    pair.message(answer(arrived, '180 Ringing'), 5080);
    const ok = sent(
      pair.message(answer(arrived, '200 OK', 'b', ['Contact: <sip:1002@127.0.0.1:5080>']), 5080),
    )[0]!.text;
    const dialog = {
      from: header(ok, 'From')[0]!,
      to: header(ok, 'To')[0]!,
      callId: 'one',
      uri: 'sip:1002@127.0.0.1:5080',
      headers: routes(ok),
    };
    pair.message(request({ ...dialog, method: 'ACK' }));
    const bye = sent(pair.message(request({ ...dialog, method: 'BYE', cseq: 2 })))[0]!.text;
    expect(sent(pair.message(answer(bye, '200 OK'), 5080))).toHaveLength(1);
    pair.wait(40_000);
  });

  it('of registrations with digest', async () => {
    const pair = await Pair.start(testBank({ trusted: [] }));
    for (const algorithm of ['MD5', 'SHA-256'] as const) {
      const challenges = header(
        sent(pair.message(registration('1002', 5080), 5080))[0]!.text,
        'WWW-Authenticate',
      );
      const nonce = /nonce="([^"]*)"/.exec(challenges.find((line) => line.includes(algorithm))!)![1]!;
      const line = credentials(proofOf(nonce, { algorithm }));
      const accepted = sent(pair.message(registration('1002', 5080, [line]), 5080));
      expect(accepted[0]!.text).toMatch(/^SIP\/2.0 200 /);
    }
  });

  it('of requests that are valid, and of damaged ones', async () => {
    const pair = await Pair.start();
    pair.message(registration('1002', 5080), 5080);
    const damage = fc.tuple(fc.nat(), fc.nat(9), fc.constantFrom('', '\r\n', ',', ';', '"', '<', '\0', ' '));
    fc.assert(
      fc.property(validRequest, fc.array(damage, { maxLength: 2 }), ({ text }, changes) => {
        let message = text;
        for (const [at, remove, insert] of changes) {
          const from = at % (message.length + 1);
          message = message.slice(0, from) + insert + message.slice(from + remove);
        }
        pair.bytes(Buffer.from(message));
      }),
      { numRuns: 3000 },
    );
  });
});
