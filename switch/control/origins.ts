/** Origins of pages that may open a SIP WebSocket. */
import { formatHostPort } from '../../wasm-core/host/address.ts';
import type { Endpoint } from './config/endpoints.ts';

const DEFAULT_PORT = { http: 80, https: 443 } as const;

/**
 * The origins of the page served here, and those of the configuration. Taken from the configuration, not from the
 * Host header of the request, which a rebound name (DNS rebinding) would make agree with its Origin.
 * @param secure the server speaks HTTPS.
 */
export function allowedOrigins(
  endpoint: Endpoint,
  port: number,
  secure: boolean,
  configured: readonly string[],
): Set<string> {
  const scheme = secure ? 'https' : 'http';
  const advertisedPort = endpoint.advertisedPort === endpoint.port ? port : endpoint.advertisedPort;
  const hosts = new Set([endpoint.advertisedHost]);
  if (endpoint.loopback) for (const host of ['localhost', '127.0.0.1', '::1']) hosts.add(host);
  const origins = new Set(configured);
  for (const host of hosts) {
    origins.add(`${scheme}://${formatHostPort(host, advertisedPort)}`);
    if (advertisedPort === DEFAULT_PORT[scheme])
      origins.add(`${scheme}://${host.includes(':') ? `[${host}]` : host}`);
  }
  return origins;
}
