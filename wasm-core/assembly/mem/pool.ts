/**
 * Blocks of bytes for what has no fixed size: stored messages, URIs, bodies. Four size classes,
 * each with its own bound. A request takes the smallest class that fits and, when that is empty,
 * the next larger one.
 */
import { C_BLOCKS_USED, I_BLOCKS_1K, I_BLOCKS_256, I_BLOCKS_4K, I_BLOCKS_64K } from '../abi';
import { initU32 } from '../config';
import { gauge } from '../counters';
import { alloc } from './arena';
import { COPY_SLACK } from './copy';

const CLASSES: u32 = 4;
const BLOCK_HEAD: u32 = 8; // u32 next free, u32 class

// per class, 20 bytes: base, free list, touched, count, bytes of a block
const CLASS_BYTES: u32 = 20;
const classes: usize = memory.data(80, 4);
let used: u32 = 0;

function classAt(i: u32): usize {
  return classes + i * CLASS_BYTES;
}

function classInit(i: u32, bytes: u32, count: u32): void {
  const c = classAt(i);
  store<u32>(c, alloc((count as usize) * bytes) as u32);
  store<u32>(c, 0, 4);
  store<u32>(c, 0, 8);
  store<u32>(c, count, 12);
  store<u32>(c, bytes, 16);
}

export function poolInit(): void {
  classInit(0, 256, initU32(I_BLOCKS_256));
  classInit(1, 1024, initU32(I_BLOCKS_1K));
  classInit(2, 4096, initU32(I_BLOCKS_4K));
  classInit(3, 66048, initU32(I_BLOCKS_64K)); // a whole UDP datagram and some more
  used = 0;
}

function takeFrom(i: u32): usize {
  const c = classAt(i);
  let block: usize = load<u32>(c, 4);
  if (block != 0) {
    store<u32>(c, load<u32>(block), 4);
  } else {
    const touched = load<u32>(c, 8);
    if (touched == load<u32>(c, 12)) return 0;
    store<u32>(c, touched + 1, 8);
    block = load<u32>(c) + touched * load<u32>(c, 16);
    store<u32>(block, i, 4);
  }
  used++;
  gauge(C_BLOCKS_USED, used);
  return block + BLOCK_HEAD;
}

/** A block with room for `bytes`, contents undefined; 0 when none is free or it is more than 66,024. */
export function blockAlloc(bytes: u32): usize {
  for (let i: u32 = 0; i < CLASSES; i++) {
    if (bytes + BLOCK_HEAD + COPY_SLACK > load<u32>(classAt(i), 16)) continue;
    const block = takeFrom(i);
    if (block != 0) return block;
  }
  return 0;
}

/** Gives a block back; 0 is allowed and does nothing. */
export function blockFree(block: usize): void {
  if (block == 0) return;
  const head = block - BLOCK_HEAD;
  const c = classAt(load<u32>(head, 4));
  store<u32>(head, load<u32>(c, 4));
  store<u32>(c, head as u32, 4);
  used--;
  gauge(C_BLOCKS_USED, used);
}

/** Bytes that fit into a block. */
export function blockCapacity(block: usize): u32 {
  return load<u32>(classAt(load<u32>(block - BLOCK_HEAD, 4)), 16) - BLOCK_HEAD - COPY_SLACK;
}
