/** Counters of the whole edge, f64 each (K_* in abi.ts). */
import { alloc } from '../mem/arena';
import { K_COUNT } from './abi';

let base: usize = 0;

export function countersInit(): void {
  base = alloc(K_COUNT * 8);
}

export function countersPtr(): usize {
  return base;
}

export function count(which: u32): void {
  const at = base + (which << 3);
  store<f64>(at, load<f64>(at) + 1);
}
