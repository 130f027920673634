import { describe, expect, it } from 'vitest';
import { ConfigError, type ConfigProblem } from '../../../control/config/errors.ts';
import { loadConfig, parseConfig } from '../../../control/config/load.ts';

/** The problems of a configuration; empty when it is good. */
async function problems(yaml: string): Promise<readonly ConfigProblem[]> {
  try {
    await parseConfig('test.yaml', yaml);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** One problem, as `line key: message`. */
async function only(yaml: string): Promise<string> {
  const found = await problems(yaml);
  expect(found).toHaveLength(1);
  return `${found[0]!.line} ${found[0]!.key}: ${found[0]!.message}`;
}

describe('a good configuration', () => {
  it.each(['demo', 'bench', 'bench-digest'])('%s.yaml', async (name) => {
    const { config, endpoints } = await loadConfig(`config/${name}.yaml`);
    expect(config.domains).toContain('strowger.test');
    expect(endpoints.udp[0]).toMatchObject({ address: '127.0.0.1', port: 5060, loopback: true });
    expect(endpoints.http).toMatchObject({ address: '127.0.0.1', port: 8080 });
  });

  it('needs nothing but a domain', async () => {
    const { config } = await parseConfig('test.yaml', 'domains: [example.net]');
    expect(config.timers).toEqual({ t1Ms: 500, t2Ms: 4000, t4Ms: 5000, timerCS: 181 });
    expect(config.listen.udp).toEqual(['127.0.0.1:5060']);
    expect(config.budgets.coreUs).toBe(20);
  });

  it('keeps the digits of numbers that stand for text', async () => {
    const yaml = `domains: [a]\nusers:\n  - {user: 0049, password: 0x10}\ntrunks: [{name: t, gateways: [{address: '192.0.2.1:5060'}]}]\nroutes: [{prefix: 00, trunk: t}]`;
    const { config } = await parseConfig('test.yaml', yaml);
    expect(config.users[0]).toMatchObject({ user: '0049', password: '0x10' });
    expect(config.routes[0]).toMatchObject({ prefix: '00', strip: 0 });
  });

  it('resolves host names', async () => {
    const { endpoints } = await parseConfig('test.yaml', 'domains: [a]\nlisten: {udp: ["localhost:5070"]}');
    expect(endpoints.udp[0]).toMatchObject({ port: 5070, loopback: true });
  });

  it('takes a listener with another name for others', async () => {
    const yaml = 'domains: [a]\nlisten:\n  udp: [{address: 0.0.0.0:5060, advertise: "sip.example.net:5060"}]';
    const { endpoints } = await parseConfig('test.yaml', yaml);
    expect(endpoints.udp[0]).toMatchObject({
      address: '0.0.0.0',
      advertisedHost: 'sip.example.net',
      loopback: false,
    });
  });
});

describe('an error names line, key, what was found and what is allowed', () => {
  it.each([
    ['an unknown key', 'domains: [a]\n\nrealmm: x', '3 realmm: unknown key; did you mean "realm"?'],
    [
      'an unknown key deep down',
      'domains: [a]\nusers:\n  - user: x\n    passwort: y',
      '4 users[0].passwort: unknown key; did you mean "password"?',
    ],
    [
      'a number out of range',
      'domains: [a]\nlimits:\n  calls: 0',
      '3 limits.calls: found 0; allowed: a whole number from 1 to 1000000',
    ],
    [
      'a wrong word',
      'domains: [a]\nlogs: {level: loud}',
      '2 logs.level: found "loud"; allowed: "trace", "debug"',
    ],
    [
      'a wrong type',
      'domains: [a]\nmedia:\n  anchor: maybe',
      '3 media.anchor: found "maybe"; allowed: true or false',
    ],
    ['a missing key', 'name: x', '1 domains: missing: SIP domains'],
    [
      'a missing key of an item',
      'domains: [a]\ntrunks:\n  - name: t',
      '3 trunks[0].gateways: missing: Its addresses',
    ],
    [
      'a bad address',
      'domains: [a]\nlisten:\n  tcp:\n    - 127.0.0.1',
      '4 listen.tcp[0]: found "127.0.0.1"; allowed: host:port',
    ],
    [
      'a port too large',
      'domains: [a]\nhttp: {listen: "127.0.0.1:99999"}',
      '2 http.listen: found port 99999',
    ],
    [
      'a bad network',
      'domains: [a]\ntrusted:\n  - 10.0.0.0/33',
      '3 trusted[0]: found "10.0.0.0/33"; allowed: an IP network',
    ],
    [
      'a route to nowhere',
      'domains: [a]\ntrunks: [{name: carrier, gateways: [{address: "192.0.2.1:5060"}]}]\nroutes:\n  - {prefix: 0, trunk: carier}',
      '4 routes[0].trunk: no trunk "carier"; did you mean "carrier"?',
    ],
    [
      'a prefix twice',
      'domains: [a]\ntrunks: [{name: t, gateways: [{address: "192.0.2.1:5060"}]}]\nroutes:\n  - {prefix: 0, trunk: t}\n  - {prefix: 0, trunk: t}',
      '5 routes[1].prefix: "0" is already routed by routes[0]',
    ],
    [
      'a gateway by name',
      'domains: [a]\ntrunks:\n  - name: t\n    gateways:\n      - address: sip.example.net:5060',
      '5 trunks[0].gateways[0].address: found "sip.example.net:5060"; allowed: an IP address',
    ],
    [
      'a user without password',
      'domains: [a]\nusers:\n  - {user: x}',
      '3 users[0]: give either `password` or `ha1`',
    ],
    [
      'a user twice',
      'domains: [a]\nusers:\n  - {user: x, password: y}\n  - {user: x, password: z}',
      '4 users[1].user: "x" is listed twice',
    ],
    [
      'a range out of order',
      'domains: [a]\nusers:\n  - {range: 20-10, password: y}',
      '3 users[0].range: found "20-10"',
    ],
    [
      'a token in two ways',
      'domains: [a]\nhttp:\n  tokens:\n    - {name: t, generate: true, token: abcdefghijklmnop}',
      '4 http.tokens[0]: give exactly one',
    ],
    [
      'expiries out of order',
      'domains: [a]\nregistration:\n  expiresDefaultS: 10',
      '3 registration.expiresDefaultS: 10 is not between',
    ],
    [
      'ports that overlap',
      'domains: [a]\nmedia:\n  webrtcPort: 20500',
      '3 media.webrtcPort: 20500 lies among',
    ],
    [
      'an address that means all',
      'domains: [a]\nlisten:\n  udp: [0.0.0.0:5060]',
      '3 listen.udp[0]: 0.0.0.0 means every address',
    ],
    [
      'a media address by name',
      'domains: [a]\nmedia:\n  address: localhost',
      '3 media.address: found "localhost"; allowed: an IP address',
    ],
    [
      'a media address that means all',
      'domains: [a]\nmedia:\n  address: 0.0.0.0',
      '3 media.address: 0.0.0.0 means every address',
    ],
    [
      'a domain that is none',
      'domains:\n  - exa mple',
      '2 domains[0]: found "exa mple"; allowed: a host name or an IP address',
    ],
    [
      'a realm with quotes',
      "domains: [a]\nrealm: 'a\"b'",
      '2 realm: found "a\\"b"; allowed: up to 128 printable',
    ],
    [
      'a user with a space',
      'domains: [a]\nusers:\n  - {user: a b, password: x}',
      '3 users[0].user: found "a b"; allowed: up to 128 printable',
    ],
    ['YAML that is none', 'domains: [a\nname: x', '2 : not valid YAML'],
  ])('%s', async (_, yaml, expected) => {
    expect(await only(yaml)).toContain(expected);
  });

  it('says which file of a certificate is missing', async () => {
    const yaml = 'domains: [a]\nhttp:\n  certificate: /nowhere/a.pem\n  key: /nowhere/b.pem';
    expect((await problems(yaml)).map(({ line, key, message }) => `${line} ${key}: ${message}`)).toEqual([
      '3 http.certificate: /nowhere/a.pem cannot be read (ENOENT)',
      '4 http.key: /nowhere/b.pem cannot be read (ENOENT)',
    ]);
  });

  it('reports all mistakes of a file in order', async () => {
    const found = await problems('domains: []\nnam: x\nlogs: {level: 1}\nlimits: {calls: 0}');
    expect(found.map(({ line }) => line)).toEqual([1, 2, 3, 4]);
  });

  it('says which file is missing', async () => {
    await expect(loadConfig('/nowhere/x.yaml')).rejects.toThrow('/nowhere/x.yaml: no such file');
  });

  it('never shows a secret', async () => {
    const yaml = `domains: [a]\nusers:\n  - {user: x, password: ${'geheim'.repeat(60)}}\nhttp: {tokens: [{name: t, token: geheim}]}\nsecret: geheim`;
    const text = (await problems(yaml)).map(({ message }) => message).join('\n');
    expect(text).toContain('not shown');
    expect(text).not.toContain('geheim');
  });
});

describe('demo credentials', () => {
  const demo = 'domains: [a]\nusers:\n  - {range: 1001-1010, password: demo-<user>}\n';

  it.each([
    ['listen: {udp: ["192.0.2.1:5060"]}', 'listen.udp[0]'],
    ['listen: {tcp: ["192.0.2.1:5060"]}', 'listen.tcp[0]'],
    ['http: {listen: "192.0.2.1:8080"}', 'http.listen'],
  ])('are refused with %s', async (listen, key) => {
    const found = await only(demo + listen);
    expect(found).toContain(`4 ${key}: 192.0.2.1:`);
    expect(found).toContain('users[0] has a demo password');
  });

  it('are fine on loopback', async () => {
    expect(await problems(`${demo}listen: {udp: ["127.0.0.2:5060", "[::1]:5060"]}`)).toEqual([]);
  });
});
