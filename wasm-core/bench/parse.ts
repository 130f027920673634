/** The parser alone, for core.ts in this folder: the same message again and again. AssemblyScript. */
import { headersInit } from '../assembly/sip/header';
import { parseMessage } from '../assembly/sip/message';
import { arenaReset } from '../assembly/mem/arena';
import { onTimer } from '../assembly/core';

export { onTimer };

const message: usize = memory.data(65536, 16);

/** Once. */
export function init(): void {
  arenaReset();
  headersInit();
}

/** Where the message goes. */
export function messagePtr(): usize {
  return message;
}

/** Parses `len` bytes `times` times; the result of the last. */
export function parse(len: u32, times: u32): i32 {
  let result: i32 = -1;
  for (let i: u32 = 0; i < times; i++) result = parseMessage(message, len, false);
  return result;
}

/** A loop of known work, to compare machines by: `times` rounds of a xorshift generator. */
export function calibrate(times: u32): u64 {
  let x: u64 = 0x1234567;
  for (let i: u32 = 0; i < times; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}
