import { describe, expect, it } from 'vitest';
import { type Algorithm, challengesOf, chooseChallenge, credentialsFor } from '../lib/digest.ts';
import { parseMessage } from '../lib/messages.ts';
import { hash } from './fixture.ts';

/** The example of RFC 7616 3.9.1. */
const EXAMPLE = {
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};

function challenged(...headers: string[]) {
  return challengesOf(parseMessage(['SIP/2.0 401 Unauthorized', ...headers, '', ''].join('\r\n')));
}

describe('digest', () => {
  it.each<[Algorithm, string]>([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('answers the example of RFC 7616 with %s', (algorithm, response) => {
    const { cnonce, ...challenge } = EXAMPLE;
    const user = { user: 'Mufasa', password: 'Circle of Life' };
    const request = { method: 'GET', uri: '/dir/index.html' };
    const value = credentialsFor({ algorithm, ...challenge }, user, request, hash, cnonce);
    expect(value).toContain(`response="${response}"`);
    expect(value).toContain(`opaque="${EXAMPLE.opaque}"`);
    expect(value).toContain(`algorithm=${algorithm}, cnonce="${cnonce}", qop=auth, nc=00000001`);
  });

  it('reads the challenges that it can answer', () => {
    const challenges = challenged(
      'WWW-Authenticate: Digest realm="r", nonce="n0", algorithm=SHA-512-256, qop="auth"',
      'WWW-Authenticate: Digest realm="r", qop="auth", nonce="n1", opaque="", algorithm=sha-256',
      'Proxy-Authenticate: Digest nonce="n2",realm="a realm"',
    );
    expect(challenges).toEqual([
      { algorithm: 'SHA-256', realm: 'r', nonce: 'n1', opaque: '' },
      { algorithm: 'MD5', realm: 'a realm', nonce: 'n2', opaque: undefined },
    ]);
  });

  it("takes the preferred algorithm, else the server's first", () => {
    const [sha, md5] = challenged(
      'WWW-Authenticate: Digest realm="r", nonce="a", algorithm=SHA-256',
      'WWW-Authenticate: Digest realm="r", nonce="b", algorithm=MD5',
    );
    expect(chooseChallenge([sha!, md5!], 'MD5')).toBe(md5);
    expect(chooseChallenge([sha!, md5!])).toBe(sha);
    expect(chooseChallenge([md5!], 'SHA-256')).toBe(md5);
    expect(chooseChallenge([])).toBeUndefined();
  });
});
