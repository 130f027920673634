import { describe, expect, test } from 'vitest';
import { sha256Authorization } from '../../softphone/phone/digest.ts';

/** RFC 7616 3.9.1. */
const EXAMPLE = {
  request: { method: 'GET', uri: '/dir/index.html' },
  challenge: {
    realm: 'http-auth@example.org',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
    algorithm: 'SHA-256',
    qop: ['auth', 'auth-int'],
  },
  credentials: { user: 'Mufasa', password: 'Circle of Life' },
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};

const answer = (challenge: object, nc = 1) =>
  sha256Authorization(
    EXAMPLE.request,
    { ...EXAMPLE.challenge, ...challenge },
    EXAMPLE.credentials,
    EXAMPLE.cnonce,
    nc,
  );

describe('sha256Authorization', () => {
  test('gives the response of the RFC', () => {
    const value = answer({});
    expect(value).toContain('response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"');
    expect(value).toMatch(/^Digest algorithm=SHA-256, username="Mufasa", /);
    expect(value).toContain('nc=00000001');
    expect(value).toContain(`opaque="${EXAMPLE.challenge.opaque}"`);
  });

  test('counts the uses of a nonce in hexadecimal', () => {
    expect(answer({}, 31)).toContain('nc=0000001f');
  });

  test('works without qop, as RFC 2069 had it', () => {
    const value = answer({ qop: undefined });
    expect(value).not.toContain('qop=');
    expect(value).not.toContain('cnonce=');
  });

  test.each([
    ['another algorithm', { algorithm: 'SHA-512-256' }],
    ['only auth-int', { qop: ['auth-int'] }],
    ['no nonce', { nonce: '' }],
    ['no realm', { realm: undefined }],
  ])('refuses %s', (_what, challenge) => {
    expect(answer(challenge)).toBeNull();
  });
});
