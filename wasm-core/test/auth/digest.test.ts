import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, type Effect, header, lines, sent, testBank } from '../support/driver.ts';
import { type RequestFields, request } from '../support/phone.ts';
import { ALGORITHMS, type Proof, credentials, nonceOf, proofOf, responseOf } from './credentials.ts';

const strangers = (init = {}) => Driver.start(init, testBank({ trusted: [] }));

/** A REGISTER of 1002's that fetches. */
function fetchOf(headers: string[] = [], fields: RequestFields = {}): string {
  return request({
    method: 'REGISTER',
    uri: 'sip:strowger.test',
    from: '<sip:1002@strowger.test>;tag=r',
    to: '<sip:1002@strowger.test>',
    headers,
    ...fields,
  });
}

function answerTo(effects: readonly Effect[]): string {
  const [answer] = sent(effects);
  if (answer === undefined) throw new Error('no answer');
  return answer.text;
}

const status = (message: string) => Number(message.slice(8, 11));
const challenges = (message: string) => header(message, 'WWW-Authenticate');
const isStale = (message: string) => challenges(message).every((line) => line.includes('stale=true'));

function attempt(driver: Driver, proof: Proof, more: Record<string, string> = {}): string {
  return answerTo(driver.message(fetchOf([credentials(proof, more)])));
}

describe('the oracle', () => {
  it('gives the responses of RFC 7616 3.9.1', () => {
    const example = {
      method: 'GET',
      uri: '/dir/index.html',
      user: 'Mufasa',
      realm: 'http-auth@example.org',
      password: 'Circle of Life',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      qop: 'auth',
      nc: '00000001',
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    };
    expect(responseOf({ ...example, algorithm: 'MD5' })).toBe('8ca523f5e9506fed4657c9700eebdbec');
    expect(responseOf({ ...example, algorithm: 'SHA-256' })).toBe(
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    );
  });
});

describe.each(ALGORITHMS)('digest with %s', (algorithm) => {
  it('takes the right password and counts it', async () => {
    const driver = await strangers();
    const nonce = nonceOf(answerTo(driver.message(fetchOf())), algorithm);
    expect(status(attempt(driver, proofOf(nonce, { algorithm })))).toBe(200);
    expect([abi.C_AUTH_CHALLENGED, abi.C_AUTH_OK, abi.C_AUTH_FAILED].map((c) => driver.counter(c))).toEqual([
      1, 1, 0,
    ]);
  });

  it('agrees with the oracle for every length of what is hashed', async () => {
    const driver = await strangers();
    const nonce = nonceOf(answerTo(driver.message(fetchOf())), algorithm);
    for (let length = 1; length <= 256; length++) {
      const nc = length.toString(16).padStart(8, '0');
      const proof = proofOf(nonce, { algorithm, nc, cnonce: 'x'.repeat(length) });
      expect([length, status(attempt(driver, proof))]).toEqual([length, 200]);
    }
    const long = proofOf(nonce, { algorithm, nc: '00000fff', cnonce: 'x'.repeat(257) });
    expect(status(attempt(driver, long))).toBe(401);
  });

  it('refuses a response with any digit changed', async () => {
    const driver = await strangers();
    const nonce = nonceOf(answerTo(driver.message(fetchOf())), algorithm);
    const right = responseOf(proofOf(nonce, { algorithm }));
    for (let i = 0; i < right.length; i++) {
      const wrong = right.slice(0, i) + (right[i] === '0' ? '1' : '0') + right.slice(i + 1);
      const answer = attempt(driver, proofOf(nonce, { algorithm }), { response: `"${wrong}"` });
      expect([i, status(answer), isStale(answer)]).toEqual([i, 401, false]);
    }
    expect(driver.counter(abi.C_AUTH_FAILED)).toBe(right.length);
  });
});

describe('digest credentials', () => {
  interface Case {
    name: string;
    proof?: Partial<Proof>;
    more?: Record<string, string>;
    status: number;
  }
  const cases: Case[] = [
    { name: 'a wrong password', proof: { password: 'wrong' }, status: 401 },
    { name: 'an unknown user', proof: { user: '7777' }, status: 401 },
    { name: 'another user than To and From name', proof: { user: '1003' }, status: 403 },
    { name: 'another realm', proof: { realm: 'elsewhere' }, status: 401 },
    { name: 'MD5 without qop (RFC 2069)', proof: { qop: null }, status: 200 },
    { name: 'SHA-256 without qop', proof: { qop: null, algorithm: 'SHA-256' }, status: 401 },
    { name: 'auth-int', proof: { qop: 'auth-int' }, status: 401 },
    { name: 'a quoted qop', more: { qop: '"auth"' }, status: 200 },
    { name: 'a quoted algorithm', more: { algorithm: '"MD5"' }, status: 200 },
    { name: 'no algorithm, which is MD5', more: { algorithm: '' }, status: 200 },
    { name: 'MD5-sess', more: { algorithm: 'MD5-sess' }, status: 401 },
    { name: 'an algorithm that does not fit the response', more: { algorithm: 'SHA-256' }, status: 401 },
    { name: 'an empty cnonce', proof: { cnonce: '' }, status: 401 },
    { name: 'no nc', more: { nc: '' }, status: 401 },
    { name: 'nc 0', proof: { nc: '00000000' }, status: 401 },
    { name: 'an nc that is no number', proof: { nc: '0000000x' }, status: 401 },
    { name: 'no username', more: { username: '' }, status: 401 },
    { name: 'no response', more: { response: '' }, status: 401 },
    { name: 'an opaque, which we did not send', more: { opaque: '"x"' }, status: 200 },
    { name: 'a parameter nobody knows, with a comma in it', more: { x: '"a, nonce=b"' }, status: 200 },
    { name: 'a uri with a port', proof: { uri: 'sip:strowger.test:5060' }, status: 200 },
    { name: 'a uri in capitals', proof: { uri: 'sip:STROWGER.test' }, status: 200 },
    { name: 'a uri with parameters', proof: { uri: 'sip:strowger.test;transport=udp' }, status: 200 },
    { name: 'a uri of another host', proof: { uri: 'sip:elsewhere.test' }, status: 401 },
    { name: 'a uri of another user', proof: { uri: 'sip:x@strowger.test' }, status: 401 },
    { name: 'a uri that is none', proof: { uri: '/' }, status: 401 },
    { name: 'a digest for another method', proof: { method: 'INVITE' }, status: 401 },
  ];

  it.each(cases)('$name: $status', async ({ proof, more, status: expected }) => {
    const driver = await strangers();
    const algorithm = proof?.algorithm ?? 'MD5';
    const nonce = nonceOf(answerTo(driver.message(fetchOf())), algorithm);
    expect(status(attempt(driver, proofOf(nonce, proof), more))).toBe(expected);
  });

  it('are picked by realm and algorithm where there are several', async () => {
    const driver = await Driver.start({}, testBank({ trusted: [], digest: ['md5'] }));
    const nonce = nonceOf(answerTo(driver.message(fetchOf())));
    const ours = credentials(proofOf(nonce));
    const others = credentials(proofOf(nonce, { realm: 'elsewhere' }));
    const unasked = credentials(proofOf(nonce, { algorithm: 'SHA-256' }));
    expect(status(answerTo(driver.message(fetchOf([others, unasked, ours]))))).toBe(200);
    expect(status(answerTo(driver.message(fetchOf([others, unasked]))))).toBe(401);
    expect(status(answerTo(driver.message(fetchOf(['Authorization: Basic eDp5', 'Authorization: x']))))).toBe(
      401,
    );
  });

  it('of an unknown user are answered like a wrong password, and told to the operator', async () => {
    const driver = await strangers();
    const nonce = nonceOf(answerTo(driver.message(fetchOf())));
    const shape = (answer: string) => answer.replaceAll(/nonce="[^"]+"|branch=\S+|Call-ID: \S+|tag=\w+/g, '');
    const tell = (proof: Proof) => driver.message(fetchOf([credentials(proof)]));
    const wrong = tell(proofOf(nonce, { password: 'x' }));
    const unknown = tell(proofOf(nonce, { user: '7777' }));
    expect(shape(answerTo(unknown))).toBe(shape(answerTo(wrong)));
    const logged = [...wrong, ...unknown].filter(({ kind }) => kind === abi.EF_LOG);
    expect(logged.map(({ args, text }) => [args[0], text])).toEqual([
      [abi.LOG_AUTH_FAILED, '1002'],
      [abi.LOG_AUTH_FAILED, '7777'],
    ]);
  });

  it('never trap the core, whatever they are', async () => {
    const driver = await strangers();
    const nonce = nonceOf(answerTo(driver.message(fetchOf())));
    const line = credentials(proofOf(nonce));
    const piece = fc.constantFrom(
      '"',
      ',',
      '=',
      '\\',
      ' ',
      'Digest',
      'nonce',
      'qop=',
      'a'.repeat(3000),
      '%00',
    );
    fc.assert(
      fc.property(fc.nat(line.length), fc.nat(line.length), piece, (a, b, middle) => {
        const mutated = line.slice(0, Math.min(a, b)) + middle + line.slice(Math.max(a, b));
        const answer = sent(driver.message(fetchOf([mutated.replace(/^[^:]*:?/, 'Authorization:')])));
        return answer.length === 1 && [200, 401].includes(status(answer[0]!.text));
      }),
      { numRuns: 500 },
    );
  });

  it.each([65, 3000, 30_000])('beside a method of %d bytes are not looked at', async (length) => {
    const driver = await strangers();
    const nonce = nonceOf(answerTo(driver.message(fetchOf())));
    const method = 'M'.repeat(length);
    const line = credentials(
      proofOf(nonce, { method, uri: 'sip:1002@strowger.test' }),
      {},
      'Proxy-Authorization',
    );
    const from = '<sip:1002@strowger.test>;tag=a';
    expect(status(answerTo(driver.message(request({ method, from, headers: [line] }))))).toBe(407);
    expect(status(attempt(driver, proofOf(nonce)))).toBe(200);
  });
});

describe('nonces', () => {
  it('are stale when too old, but only to one who knows the password', async () => {
    const driver = await strangers({ nonceTtlS: 300 });
    const nonce = nonceOf(answerTo(driver.message(fetchOf())));
    driver.nowUs += 300e6;
    expect(status(attempt(driver, proofOf(nonce)))).toBe(200);
    driver.nowUs += 1e6;
    const late = attempt(driver, proofOf(nonce, { nc: '00000002' }));
    expect([status(late), isStale(late)]).toEqual([401, true]);
    const wrong = attempt(driver, proofOf(nonce, { password: 'x' }));
    expect([status(wrong), isStale(wrong)]).toEqual([401, false]);
    expect(status(attempt(driver, proofOf(nonceOf(late))))).toBe(200);
  });

  it('are refused when any bit of them was changed', async () => {
    const driver = await strangers();
    const bytes = Buffer.from(nonceOf(answerTo(driver.message(fetchOf()))), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      const answer = attempt(driver, proofOf(forged.toString('base64url')));
      expect([bit, status(answer), isStale(answer)]).toEqual([bit, 401, true]);
    }
    for (const nonce of ['', 'AAAA', 'A'.repeat(22), 'A'.repeat(128)]) {
      expect(status(attempt(driver, proofOf(nonce)))).toBe(401);
    }
  });

  it('serve every node that has the secret, and no other', async () => {
    const driver = await strangers();
    const nonce = nonceOf(answerTo(driver.message(fetchOf())));
    expect(status(attempt(await strangers(), proofOf(nonce)))).toBe(200);
    const foreign = attempt(await strangers({ secret: new Uint8Array(16).fill(8) }), proofOf(nonce));
    expect([status(foreign), isStale(foreign)]).toEqual([401, true]);
  });

  it('differ from one another, also those of one answer', async () => {
    const driver = await strangers();
    const seen = Array.from({ length: 100 }, () => answerTo(driver.message(fetchOf([], { callId: 'one' }))));
    const nonces = seen.flatMap((answer) => ALGORITHMS.map((algorithm) => nonceOf(answer, algorithm)));
    expect(new Set(nonces).size).toBe(200);
  });

  it('are remembered though many others are used', async () => {
    const driver = await strangers();
    const fresh = () => proofOf(nonceOf(answerTo(driver.message(fetchOf())), 'SHA-256'));
    const used = Array.from({ length: 40 }, fresh);
    for (const proof of used) expect(status(attempt(driver, proof))).toBe(200);
    for (let i = 0; i < 100; i++) attempt(driver, fresh());
    for (const proof of used) expect(status(attempt(driver, proof))).toBe(401);
  });

  it('count upwards: one that was used is stale, except for the same request again', async () => {
    const driver = await strangers();
    const nonce = nonceOf(answerTo(driver.message(fetchOf())));
    const first = fetchOf([credentials(proofOf(nonce))]);
    expect(lines(driver.message(first))).toEqual(['SIP/2.0 200 OK > 5070']);
    expect(lines(driver.message(first))).toEqual(['SIP/2.0 200 OK > 5070']);
    const replayed = attempt(driver, proofOf(nonce));
    expect([status(replayed), isStale(replayed)]).toEqual([401, true]);
    expect(status(attempt(driver, proofOf(nonce, { nc: '00000005' })))).toBe(200);
    expect(status(attempt(driver, proofOf(nonce, { nc: '00000004' })))).toBe(401);
    expect(status(attempt(driver, proofOf(nonce, { nc: '00000006' })))).toBe(200);
    expect(status(attempt(driver, proofOf(nonce, { nc: 'ffffffff' })))).toBe(200);
  });
});

describe('challenges', () => {
  it('offer the algorithms of the bank in its order, and only these are accepted', async () => {
    const driver = await Driver.start({}, testBank({ trusted: [], digest: ['md5', 'sha-256'] }));
    expect(
      challenges(answerTo(driver.message(fetchOf()))).map((line) => /algorithm=([^,]+)/.exec(line)![1]),
    ).toEqual(['MD5', 'SHA-256']);
    const strict = await Driver.start({}, testBank({ trusted: [], digest: ['sha-256'] }));
    const refused = answerTo(strict.message(fetchOf()));
    expect(challenges(refused)).toHaveLength(1);
    expect(status(attempt(strict, proofOf(nonceOf(refused, 'SHA-256'))))).toBe(401);
  });

  it('stand before everything that is forwarded', async () => {
    const driver = await strangers();
    for (const method of ['INVITE', 'MESSAGE', 'SUBSCRIBE', 'OPTIONS']) {
      const effects = driver.message(request({ method }));
      expect(lines(effects)).toEqual(['SIP/2.0 407 Proxy Authentication Required > 5070']);
    }
  });
});
