/**
 * A ring of byte records between two threads, one of which writes and the other reads, in shared memory.
 * Neither ever waits: a full ring refuses, an empty one has nothing.
 *
 * Layout: head (u32, bytes written so far, modulo 2^32), tail (u32, bytes read), each in a cache line of its own,
 * then the data. A record is its length (u32, 0xffffffff: go on at the start) and its bytes, padded to 8.
 */

const HEAD = 0;
const TAIL = 16;
const DATA = 128;
const LENGTH_BYTES = 8; // u32 length, 4 bytes of padding: records stay aligned to 8
const WRAP = 0xffffffff;
/** Copies of more words than this are worth two views. */
const SHORT_WORDS = 512;

/** Shared memory for a ring of `bytes` (a power of two). */
export function ringMemory(bytes: number): SharedArrayBuffer {
  if (bytes < 1024 || (bytes & (bytes - 1)) !== 0)
    throw new RangeError(`ring size ${bytes} is not a power of two`);
  return new SharedArrayBuffer(DATA + bytes);
}

function sizeOf(length: number): number {
  return LENGTH_BYTES + ((length + 7) & ~7);
}

/** Common to both ends. */
class RingEnd {
  protected readonly marks: Int32Array;
  protected readonly data: Uint8Array;
  protected readonly words: Uint32Array;
  protected readonly capacity: number;

  constructor(memory: SharedArrayBuffer) {
    this.marks = new Int32Array(memory, 0, DATA / 4);
    this.data = new Uint8Array(memory, DATA);
    this.words = new Uint32Array(memory, DATA);
    this.capacity = this.data.length;
  }

  /** Bytes written and not yet read. */
  get depth(): number {
    return (Atomics.load(this.marks, HEAD) - Atomics.load(this.marks, TAIL)) >>> 0;
  }
}

/**
 * Copies `length` bytes between arrays of u32, at offsets in bytes that are multiples of 4; up to 3 bytes more. Short ones word by
 * word: the views that `set` needs would be garbage.
 */
export function copyWords(
  to: Uint32Array,
  toOffset: number,
  from: Uint32Array,
  fromOffset: number,
  length: number,
): void {
  const words = (length + 3) >> 2;
  const target = toOffset >> 2;
  const source = fromOffset >> 2;
  if (words > SHORT_WORDS) to.set(from.subarray(source, source + words), target);
  else for (let i = 0; i < words; i++) to[target + i] = from[source + i]!;
}

export class RingWriter extends RingEnd {
  #cachedTail = 0;
  #newHead = 0;

  /** Appends `length` bytes of `source` from `offset`. Returns false when there is no room (nothing is written). */
  push(source: Uint8Array, offset: number, length: number): boolean {
    const at = this.#begin(length);
    if (at < 0) return false;
    this.data.set(
      offset === 0 && length === source.length ? source : source.subarray(offset, offset + length),
      at,
    );
    this.#end();
    return true;
  }

  /** The same from words, `offset` a multiple of 4, without garbage. */
  pushWords(source: Uint32Array, offset: number, length: number): boolean {
    const at = this.#begin(length);
    if (at < 0) return false;
    copyWords(this.words, at, source, offset, length);
    this.#end();
    return true;
  }

  /** A record of two parts, `head` in whole and then as `pushWords`; both together as one. */
  pushParts(head: Uint32Array, source: Uint32Array, offset: number, length: number): boolean {
    const at = this.#begin(head.byteLength + length);
    if (at < 0) return false;
    copyWords(this.words, at, head, 0, head.byteLength);
    copyWords(this.words, at + head.byteLength, source, offset, length);
    this.#end();
    return true;
  }

  /** Makes room for a record and writes its length; where its bytes go, or -1. */
  #begin(length: number): number {
    const head = Atomics.load(this.marks, HEAD) >>> 0;
    const size = sizeOf(length);
    let at = head & (this.capacity - 1);
    const toEnd = this.capacity - at;
    const needed = size > toEnd ? size + toEnd : size;
    if (!this.#hasRoom(head, needed)) return -1;
    if (size > toEnd) {
      this.words[at >> 2] = WRAP;
      at = 0;
    }
    this.words[at >> 2] = length;
    this.#newHead = (head + needed) | 0;
    return at + LENGTH_BYTES;
  }

  #end(): void {
    Atomics.store(this.marks, HEAD, this.#newHead);
  }

  #hasRoom(head: number, needed: number): boolean {
    if (this.capacity - ((head - this.#cachedTail) >>> 0) >= needed) return true;
    this.#cachedTail = Atomics.load(this.marks, TAIL) >>> 0;
    return this.capacity - ((head - this.#cachedTail) >>> 0) >= needed;
  }
}

export class RingReader extends RingEnd {
  /** Offset in `bytes` and length of the record that `next` found. */
  offset = 0;
  length = 0;
  #size = 0;

  /** The ring's data, in which records lie. */
  get bytes(): Uint8Array {
    return this.data;
  }

  /** The same as words; records begin at a multiple of 8 bytes. */
  get u32(): Uint32Array {
    return this.words;
  }

  /** Looks at the next record; false when there is none. */
  next(): boolean {
    for (;;) {
      const tail = Atomics.load(this.marks, TAIL) >>> 0;
      if (Atomics.load(this.marks, HEAD) >>> 0 === tail) return false;
      const at = tail & (this.capacity - 1);
      const length = this.words[at >> 2]!;
      if (length !== WRAP) {
        this.offset = at + LENGTH_BYTES;
        this.length = length;
        this.#size = sizeOf(length);
        return true;
      }
      Atomics.store(this.marks, TAIL, (tail + this.capacity - at) | 0);
    }
  }

  /** Gives the record's room back. Its bytes must not be looked at any more. */
  release(): void {
    Atomics.store(this.marks, TAIL, (Atomics.load(this.marks, TAIL) + this.#size) | 0);
  }

  /** What the head is now, for `waitAsync`. */
  mark(): number {
    return Atomics.load(this.marks, HEAD);
  }

  /** Resolves when the writer notifies, unless something has been written since `mark` was taken; at the latest after `timeoutMs`. */
  waitPast(mark: number, timeoutMs?: number): { async: boolean; value: Promise<string> | string } {
    return Atomics.waitAsync(this.marks, HEAD, mark, timeoutMs);
  }
}

/** Wakes a reader in `waitPast`. */
export function ringNotify(memory: SharedArrayBuffer): void {
  Atomics.notify(new Int32Array(memory), HEAD);
}
