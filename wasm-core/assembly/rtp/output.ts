/** The datagrams that a step wants to be sent (OUT_* in abi.ts). */
import { alloc } from '../mem/arena';
import { OUT_ADDRESS, OUT_BYTES, OUT_LENGTH, OUT_MAX, OUT_PORT, OUT_PTR, OUT_TOKEN } from './abi';

let base: usize = 0;
let used: u32 = 0;

export function outputInit(): void {
  base = alloc(OUT_MAX * OUT_BYTES);
  used = 0;
}

export function outputReset(): void {
  used = 0;
}

export function outputPtr(): usize {
  return base;
}

export function outputCount(): u32 {
  return used;
}

/** Adds a datagram. Payload and address stay where they are until the next step. */
export function emit(token: u32, ptr: usize, length: u32, address: usize, port: u32): void {
  if (used >= OUT_MAX) unreachable(); // a step makes at most one per slot and two per report
  const at = base + used * OUT_BYTES;
  used++;
  store<u32>(at, token, OUT_TOKEN);
  store<u32>(at, ptr as u32, OUT_PTR);
  store<u32>(at, length, OUT_LENGTH);
  store<u32>(at, address as u32, OUT_ADDRESS);
  store<u32>(at, port, OUT_PORT);
}
