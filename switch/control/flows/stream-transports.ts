/** Hands EF_SEND and EF_CLOSE_FLOW to the transport that they are for. */
import * as abi from '../../../wasm-core/assembly/abi.ts';
import type { CoreLink } from '../core-link.ts';
import type { Flows } from './flows.ts';
import type { TcpTransport } from './tcp.ts';
import type { WebSocketTransport } from './websocket.ts';

/** Connects the core's effects with the stream transports. */
export function routeEffects(
  link: CoreLink,
  flows: Flows,
  tcp: TcpTransport,
  websocket: WebSocketTransport,
): void {
  link.on(abi.EF_SEND, (frame) => {
    if (frame.transport === abi.TRANSPORT_TCP) tcp.send(frame);
    else websocket.send(frame);
  });
  link.on(abi.EF_CLOSE_FLOW, (frame) => flows.get(frame.flow)?.close());
}
