/** What a schema cannot say: keys that exclude each other, names that must exist, ranges that must be in order. */
import { isUnspecified, parseAddress } from '../../../wasm-core/host/address.ts';
import { splitHostPort } from './endpoints.ts';
import { networkOf } from './network.ts';
import type { ConfigDocument } from './document.ts';
import { ConfigError, type ConfigProblem, formatPath, type Path } from './errors.ts';
import { nearest } from './nearest.ts';
import type { Config } from './schema.ts';
import { rangeOf } from './users.ts';

/** Users that a file may define, ranges counted in full. */
export const USERS_MAX = 1_000_000;

/** Collects problems with their places. */
class Findings {
  readonly #document: ConfigDocument;
  readonly problems: ConfigProblem[] = [];

  constructor(document: ConfigDocument) {
    this.#document = document;
  }

  add(path: Path, message: string): void {
    this.problems.push({ ...this.#document.position(path), key: formatPath(path), message });
  }
}

/**
 * Checks what the schema cannot.
 * @throws ConfigError
 */
export function checkMeaning(document: ConfigDocument, config: Config): void {
  const findings = new Findings(document);
  checkUsers(findings, config);
  checkTokens(findings, config);
  checkTrunks(findings, config);
  checkOrder(findings, config);
  checkMedia(findings, config);
  checkHttp(findings, config);
  for (const [i, network] of config.trusted.entries())
    if (networkOf(network) === null)
      findings.add(
        ['trusted', i],
        `found "${network}"; allowed: an IP network such as 192.0.2.0/24 or 2001:db8::/32`,
      );
  if (findings.problems.length > 0) throw new ConfigError(document.file, findings.problems);
}

function checkUsers(findings: Findings, config: Config): void {
  const single = new Set<string>();
  let total = 0;
  for (const [i, entry] of config.users.entries()) {
    const path: Path = ['users', i];
    if ((entry.user === undefined) === (entry.range === undefined))
      findings.add(path, 'give either `user` or `range`');
    if ((entry.password === undefined) === (entry.ha1 === undefined))
      findings.add(path, 'give either `password` or `ha1`');
    if (entry.ha1 && !entry.ha1.md5 && !entry.ha1.sha256)
      findings.add([...path, 'ha1'], 'give `md5`, `sha256` or both');
    if (entry.range !== undefined) {
      if (entry.ha1) findings.add([...path, 'ha1'], 'a range has one `password` pattern, not `ha1`');
      const range = rangeOf(entry.range);
      if (range === null)
        findings.add(
          [...path, 'range'],
          `found "${entry.range}"; allowed: first-last, as many digits each, first not after last`,
        );
      else total += range.count;
    } else if (entry.user !== undefined) {
      if (single.has(entry.user)) findings.add([...path, 'user'], `"${entry.user}" is listed twice`);
      single.add(entry.user);
      total++;
    }
  }
  if (total > USERS_MAX) findings.add(['users'], `${total} users; at most ${USERS_MAX}`);
}

function checkTokens(findings: Findings, config: Config): void {
  for (const [i, entry] of config.http.tokens.entries()) {
    const ways = [entry.token !== undefined, entry.sha256 !== undefined, entry.generate === true];
    if (ways.filter(Boolean).length !== 1)
      findings.add(['http', 'tokens', i], 'give exactly one of `token`, `sha256` and `generate: true`');
  }
}

function checkGateways(findings: Findings, config: Config): void {
  for (const [i, trunk] of config.trunks.entries())
    for (const [j, { address }] of trunk.gateways.entries()) {
      const { host, port } = splitHostPort(address);
      if (parseAddress(host) !== null && port >= 1 && port <= 65_535) continue;
      const path = ['trunks', i, 'gateways', j, 'address'];
      findings.add(path, `found "${address}"; allowed: an IP address and a port, such as 192.0.2.10:5060`);
    }
}

function checkTrunks(findings: Findings, config: Config): void {
  checkGateways(findings, config);
  const names = config.trunks.map((trunk) => trunk.name);
  for (const [i, name] of names.entries())
    if (names.indexOf(name) !== i) findings.add(['trunks', i, 'name'], `"${name}" is used twice`);
  for (const [i, route] of config.routes.entries()) {
    if (names.includes(route.trunk)) continue;
    const near = nearest(route.trunk, names);
    const known = names.length > 0 ? `defined: ${names.join(', ')}` : 'no trunk is defined';
    findings.add(
      ['routes', i, 'trunk'],
      `no trunk "${route.trunk}"; ${near ? `did you mean "${near}"? ` : ''}${known}`,
    );
  }
  const prefixes = new Map<string, number>();
  for (const [i, route] of config.routes.entries()) {
    const first = prefixes.get(route.prefix);
    if (first !== undefined)
      findings.add(['routes', i, 'prefix'], `"${route.prefix}" is already routed by routes[${first}]`);
    else prefixes.set(route.prefix, i);
  }
}

function checkOrder(findings: Findings, config: Config): void {
  const { expiresMinS, expiresDefaultS, expiresMaxS } = config.registration;
  if (expiresMinS > expiresMaxS)
    findings.add(['registration', 'expiresMinS'], `${expiresMinS} is more than expiresMaxS (${expiresMaxS})`);
  else if (expiresDefaultS < expiresMinS || expiresDefaultS > expiresMaxS)
    findings.add(
      ['registration', 'expiresDefaultS'],
      `${expiresDefaultS} is not between expiresMinS (${expiresMinS}) and expiresMaxS (${expiresMaxS})`,
    );
  const { portMin, portMax, webrtcPort, workers } = config.media;
  if (portMin >= portMax) findings.add(['media', 'portMin'], `${portMin} is not below portMax (${portMax})`);
  if (webrtcPort <= portMax && webrtcPort + workers - 1 >= portMin)
    findings.add(
      ['media', 'webrtcPort'],
      `${webrtcPort} lies among the ports of phones (${portMin} to ${portMax})`,
    );
  const { ringBytes } = config.limits;
  if ((ringBytes & (ringBytes - 1)) !== 0)
    findings.add(['limits', 'ringBytes'], `found ${ringBytes}; allowed: a power of two`);
}

function checkMedia(findings: Findings, { media }: Config): void {
  const address = parseAddress(media.address);
  if (address === null)
    findings.add(['media', 'address'], `found "${media.address}"; allowed: an IP address`);
  else if (isUnspecified(address) && media.announcedAddress === undefined)
    findings.add(
      ['media', 'address'],
      `${media.address} means every address of this machine: give \`announcedAddress\``,
    );
  if (media.announcedAddress !== undefined && parseAddress(media.announcedAddress) === null)
    findings.add(['media', 'announcedAddress'], `found "${media.announcedAddress}"; allowed: an IP address`);
}

function checkHttp(findings: Findings, config: Config): void {
  if ((config.http.certificate === undefined) !== (config.http.key === undefined))
    findings.add(['http'], '`certificate` and `key` come together');
  const reserved = ['/', '/api', '/api/v1', '/metrics', '/healthz', '/readyz', '/console'];
  if (reserved.includes(config.http.path)) findings.add(['http', 'path'], `"${config.http.path}" is taken`);
}
