/**
 * Hash indexes: chains of records by a 32-bit hash. The chain's link is a u32 inside the record, at an
 * offset that the caller names, so that one record can stand in several indexes. Comparing keys is the
 * caller's: walk from `indexHead` along the link.
 */
import { alloc } from './arena';

const IX_MASK: u32 = 0;
const IX_HEADS: u32 = 64;

/** An index for about `records` records (at least as many chains, a power of two). */
export function indexNew(records: u32): usize {
  let buckets: u32 = 16;
  while (buckets < records) buckets <<= 1;
  const index = alloc(IX_HEADS + (buckets << 2));
  store<u32>(index + IX_MASK, buckets - 1);
  return index;
}

function headOf(index: usize, hash: u32): usize {
  return index + IX_HEADS + ((hash & load<u32>(index + IX_MASK)) << 2);
}

/** First record of the chain for `hash`, or 0. */
export function indexHead(index: usize, hash: u32): usize {
  return load<u32>(headOf(index, hash));
}

export function indexInsert(index: usize, hash: u32, rec: usize, linkOffset: u32): void {
  const head = headOf(index, hash);
  store<u32>(rec + linkOffset, load<u32>(head));
  store<u32>(head, rec as u32);
}

/** Takes `rec` out of its chain; nothing happens when it is not in it. */
export function indexRemove(index: usize, hash: u32, rec: usize, linkOffset: u32): void {
  let at = headOf(index, hash);
  for (;;) {
    const here: usize = load<u32>(at);
    if (here == 0) return;
    if (here == rec) {
      store<u32>(at, load<u32>(rec + linkOffset));
      return;
    }
    at = here + linkOffset;
  }
}
