/** What the core counts: an array of f64, read by the host (C_* in abi.ts). */
import { C_COUNT } from './abi';

const counters: usize = memory.data(C_COUNT * 8, 16);

/** Address of the counters. */
export function countersPtr(): usize {
  return counters;
}

/** Adds one. */
export function count(index: u32): void {
  const at = counters + (index << 3);
  store<f64>(at, load<f64>(at) + 1);
}

/** Adds `n`, which may be negative (gauges). */
export function countAdd(index: u32, n: i32): void {
  const at = counters + (index << 3);
  store<f64>(at, load<f64>(at) + (n as f64));
}

/** Sets a gauge. */
export function gauge(index: u32, value: u32): void {
  store<f64>(counters + (index << 3), value as f64);
}
