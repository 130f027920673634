/**
 * A target: where a message can be sent. 24 bytes, in bindings, trunks, branches and calls.
 * Stream transports are addressed by flow where one is known; address and port then say where to
 * connect again.
 */
import {
  F_ADDRESS,
  F_FLOW,
  F_LISTENER,
  F_PORT,
  F_TRANSPORT,
  I_LISTENER_0,
  I_LISTENERS,
  LISTENER_BYTES,
  TRANSPORT_WS,
  TRANSPORT_WSS,
  VARIANT_PLAIN,
  VARIANT_WEBRTC,
} from './abi';
import { initPtr, initU32 } from './config';
import { copy16 } from './mem/copy';
import { sameBytes } from './sip/scan';
import { parseIp } from './sip/uri';
import { byte, bytes, cursor, decimal, text, writeAt } from './text';

export const TARGET_BYTES: u32 = 24;
export const G_TRANSPORT: u32 = 0; // u8
export const G_FLAGS: u32 = 1; // u8
export const G_PORT: u32 = 2; // u16
export const G_FLOW: u32 = 4; // u32
export const G_ADDRESS: u32 = 8; // 16 bytes

/** The Contact does not say where it is (NAT, a name): send to this target whatever the request-URI says. */
export const GF_ALIASED: u8 = 1;

/** Target ← source of a frame. */
export function targetFromFrame(target: usize, frame: usize): void {
  store<u8>(target, load<u8>(frame + F_TRANSPORT));
  store<u8>(target, 0, 1);
  store<u16>(target, load<u16>(frame + F_PORT), 2);
  store<u32>(target, load<u32>(frame + F_FLOW), 4);
  copy16(target + G_ADDRESS, frame + F_ADDRESS);
}

/** Frame header ← target, with the listener that fits. */
export function targetToFrame(target: usize, frame: usize): void {
  store<u8>(frame + F_TRANSPORT, load<u8>(target));
  store<u16>(frame + F_PORT, load<u16>(target, 2));
  store<u32>(frame + F_FLOW, load<u32>(target, 4));
  copy16(frame + F_ADDRESS, target + G_ADDRESS);
  store<u16>(frame + F_LISTENER, listenerFor(target) as u16);
}

export function targetCopy(to: usize, from: usize): void {
  copy16(to, from);
  store<u64>(to, load<u64>(from, 16), 16);
}

/** Same transport, and same flow or (UDP) same address and port. */
export function targetSame(a: usize, b: usize): bool {
  if (load<u8>(a) != load<u8>(b)) return false;
  if (load<u8>(a) != 0) return load<u32>(a, 4) == load<u32>(b, 4);
  return load<u16>(a, 2) == load<u16>(b, 2) && sameAddress(a + G_ADDRESS, b + G_ADDRESS);
}

export function sameAddress(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8);
}

export function isMapped(addr: usize): bool {
  return load<u64>(addr) == 0 && load<u32>(addr, 8) == 0xffff0000;
}

/** The SDP variant that an end on this transport speaks. */
export function variantOf(transport: u32): u32 {
  return transport == TRANSPORT_WS || transport == TRANSPORT_WSS ? VARIANT_WEBRTC : VARIANT_PLAIN;
}

export function listenerAt(i: u32): usize {
  return initPtr() + I_LISTENER_0 + i * LISTENER_BYTES;
}

export function listenerCount(): u32 {
  return initU32(I_LISTENERS);
}

export function listenerTransport(listener: usize): u32 {
  return load<u8>(listener);
}

export function listenerPort(listener: usize): u32 {
  return load<u16>(listener, 2);
}

export function listenerHostLen(listener: usize): u32 {
  return load<u8>(listener, 1);
}

const addresses: usize = memory.data(256, 16); // LISTENERS_MAX * 16
/** By TRANSPORT_*: the parameter of a URI that asks for it (UDP needs none). */
const URI_TRANSPORTS: StaticArray<string> = [
  '',
  ';transport=tcp',
  ';transport=tls',
  ';transport=ws',
  ';transport=wss',
];
// By listener: `host:port`, and what our entries of Record-Route begin with, each led by its length.
const HOST_PORT_BYTES: u32 = 80;
const ROUTE_BYTES: u32 = 128;
const hostPorts: usize = memory.data(1280, 16); // LISTENERS_MAX * HOST_PORT_BYTES
const routes: usize = memory.data(2048, 16); // LISTENERS_MAX * ROUTE_BYTES
/** Bit n: listener n has an address. */
let numeric: u32 = 0;

/** Reads the addresses of the listeners; once, after the init block is written. */
export function listenersInit(): void {
  numeric = 0;
  for (let i: u32 = 0; i < listenerCount(); i++) {
    const l = listenerAt(i);
    if (parseIp(listenerHost(l), listenerHostLen(l), addresses + i * 16)) numeric |= 1 << i;
    const hostPort = hostPorts + i * HOST_PORT_BYTES;
    writeAt(hostPort + 1);
    bytes(listenerHost(l), listenerHostLen(l));
    byte(58);
    decimal(listenerPort(l));
    store<u8>(hostPort, cursor - hostPort - 1);
    const route = routes + i * ROUTE_BYTES;
    writeAt(route + 1);
    text('<sip:');
    writeHostPort(i);
    text(URI_TRANSPORTS[listenerTransport(l)]);
    text(';lr;ck=');
    store<u8>(route, cursor - route - 1);
  }
}

/** Writes host and port of the `i`th listener at the text cursor. */
export function writeHostPort(i: u32): void {
  const at = hostPorts + i * HOST_PORT_BYTES;
  bytes(at + 1, load<u8>(at));
}

/** Writes what an entry of Record-Route that names the `i`th listener begins with, up to the value of `ck`. */
export function writeRoute(i: u32): void {
  const at = routes + i * ROUTE_BYTES;
  bytes(at + 1, load<u8>(at));
}

/** The value of `ck` in the entry at `at` if we wrote it so, to the letter; else 0. */
export function routeCookie(at: usize, end: usize): usize {
  for (let i: u32 = 0; i < listenerCount(); i++) {
    const route = routes + i * ROUTE_BYTES;
    const len = load<u8>(route) as u32;
    if (at + len < end && sameBytes(at, route + 1, len)) return at + len;
  }
  return 0;
}

/** Whether the `i`th listener is at an address; one whose host is a name is at none. */
export function listenerIsAt(i: u32, address: usize, port: u32): bool {
  return (
    listenerPort(listenerAt(i)) == port &&
    (numeric & (1 << i)) != 0 &&
    sameAddress(address, addresses + i * 16)
  );
}

export function listenerHost(listener: usize): usize {
  return listener + 4;
}

/** The listener to send from: same transport, and same address family where there is a choice. */
export function listenerFor(target: usize): u32 {
  const n = listenerCount();
  const transport = load<u8>(target) as u32;
  const v6 = !isMapped(target + G_ADDRESS);
  let found: u32 = 0;
  let any = false;
  for (let i: u32 = 0; i < n; i++) {
    const l = listenerAt(i);
    if (listenerTransport(l) != transport) continue;
    const l6 = load<u8>(listenerHost(l)) == 91;
    if (l6 == v6) return i;
    if (!any) {
      found = i;
      any = true;
    }
  }
  return found;
}
