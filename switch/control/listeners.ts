/** The core's table of listeners: UDP first, then TCP, then the WebSocket one. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { CoreListener } from '../../wasm-core/host/core.ts';
import type { Config } from './config/schema.ts';
import type { Endpoint, Endpoints } from './config/endpoints.ts';

/** The table, and where each transport begins in it. */
export interface ListenerTable {
  listeners: CoreListener[];
  firstTcp: number;
  webSocket: number;
}

function entry(transport: number, endpoint: Endpoint): CoreListener {
  const { advertisedHost: host, advertisedPort: port } = endpoint;
  return { transport, host: host.includes(':') ? `[${host}]` : host, port };
}

/** True when the web server speaks HTTPS, and so SIP over WSS. */
export function isSecure(config: Config): boolean {
  return config.http.certificate !== undefined && config.http.key !== undefined;
}

/** Numbers the listeners. */
export function listenerTable(config: Config, endpoints: Endpoints): ListenerTable {
  const listeners = [
    ...endpoints.udp.map((endpoint) => entry(abi.TRANSPORT_UDP, endpoint)),
    ...endpoints.tcp.map((endpoint) => entry(abi.TRANSPORT_TCP, endpoint)),
    entry(isSecure(config) ? abi.TRANSPORT_WSS : abi.TRANSPORT_WS, endpoints.http),
  ];
  return {
    listeners,
    firstTcp: endpoints.udp.length,
    webSocket: endpoints.udp.length + endpoints.tcp.length,
  };
}
