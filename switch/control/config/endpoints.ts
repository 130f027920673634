/** Where to listen: host names resolved, advertised names settled, demo credentials kept off the network. */
import { lookup } from 'node:dns/promises';
import {
  formatAddress,
  formatHostPort,
  isLoopback,
  isUnspecified,
  parseAddress,
} from '../../../wasm-core/host/address.ts';
import type { ConfigDocument } from './document.ts';
import { ConfigError, type ConfigProblem, formatPath, type Path } from './errors.ts';
import type { Config, ListenEntry } from './schema.ts';

/** One listener. */
export interface Endpoint {
  /** IP address, text. */
  address: string;
  port: number;
  /** Host that others use: name or IP address, without brackets. */
  advertisedHost: string;
  advertisedPort: number;
  /** Only reachable from this machine. */
  loopback: boolean;
}

/** Every listener of a node. */
export interface Endpoints {
  udp: Endpoint[];
  tcp: Endpoint[];
  http: Endpoint;
}

/** Splits `host:port`, brackets removed; port 0 lets the system choose (tests). */
export function splitHostPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

/**
 * Resolves every listener.
 * @throws ConfigError for names that don't resolve, missing `advertise`, and demo credentials that others could use.
 */
export async function resolveEndpoints(document: ConfigDocument, config: Config): Promise<Endpoints> {
  const problems: ConfigProblem[] = [];
  const report = (path: Path, message: string): void => {
    problems.push({ ...document.position(path), key: formatPath(path), message });
  };
  const all = (kind: 'udp' | 'tcp'): Promise<Endpoint[]> =>
    Promise.all(config.listen[kind].map((entry, i) => resolveEndpoint(['listen', kind, i], entry, report)));
  const udp = await all('udp');
  const tcp = await all('tcp');
  const { listen, advertise } = config.http;
  const http = await resolveEndpoint(
    ['http', 'listen'],
    advertise ? { address: listen, advertise } : listen,
    report,
  );
  checkDemo(config, { udp, tcp, http }, report);
  if (problems.length > 0) throw new ConfigError(document.file, problems);
  return { udp, tcp, http };
}

type Report = (path: Path, message: string) => void;

async function resolveEndpoint(path: Path, entry: ListenEntry, report: Report): Promise<Endpoint> {
  const full: { address: string; advertise?: string } =
    typeof entry === 'string' ? { address: entry } : entry;
  const { host, port } = splitHostPort(full.address);
  const place = typeof entry === 'string' || path[0] === 'http' ? path : [...path, 'address'];
  if (port > 65_535) report(place, `found port ${port}; allowed: 0 to 65535`);
  const bytes = parseAddress(host) ?? (await resolveHost(host, place, report));
  const address = formatAddress(bytes);
  if (isUnspecified(bytes) && full.advertise === undefined)
    report(
      place,
      `${host} means every address of this machine: say in \`advertise\` which host:port others use`,
    );
  const advertised = full.advertise === undefined ? { host: address, port } : splitHostPort(full.advertise);
  return {
    address,
    port,
    advertisedHost: advertised.host,
    advertisedPort: advertised.port,
    loopback: isLoopback(bytes),
  };
}

async function resolveHost(host: string, path: Path, report: Report): Promise<Uint8Array> {
  try {
    const { address } = await lookup(host);
    return parseAddress(address) ?? new Uint8Array(16);
  } catch (error) {
    report(path, `host "${host}" does not resolve (${(error as NodeJS.ErrnoException).code})`);
    return parseAddress('127.0.0.1')!;
  }
}

/** Passwords that anybody can read in the documentation. */
const DEMO_PASSWORD = /^(demo|bench)-/;

/** Demo credentials are public: they may only be used where nobody else can reach the switch (DESIGN section 8). */
function checkDemo(config: Config, endpoints: Endpoints, report: Report): void {
  const demo = config.users.findIndex(
    (entry) => entry.password !== undefined && DEMO_PASSWORD.test(entry.password),
  );
  if (demo < 0) return;
  const refuse = (path: Path, endpoint: Endpoint): void => {
    if (endpoint.loopback) return;
    const where = formatHostPort(endpoint.address, endpoint.port);
    report(
      path,
      `${where} can be reached from the network, but users[${demo}] has a demo password (demo-…, bench-…) that everybody knows: give the users passwords of their own, or listen on 127.0.0.1`,
    );
  };
  for (const [i, endpoint] of endpoints.udp.entries()) refuse(['listen', 'udp', i], endpoint);
  for (const [i, endpoint] of endpoints.tcp.entries()) refuse(['listen', 'tcp', i], endpoint);
  refuse(['http', 'listen'], endpoints.http);
}
