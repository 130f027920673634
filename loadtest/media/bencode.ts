/** Bencode (BitTorrent, BEP 3), as far as rtpengine's ng protocol uses it. */

export type Bencoded = string | number | Bencoded[] | { [key: string]: Bencoded };

export function encode(value: Bencoded): string {
  if (typeof value === 'number') return `i${value}e`;
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (Array.isArray(value)) return `l${value.map(encode).join('')}e`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `d${entries.map(([key, item]) => encode(key) + encode(item)).join('')}e`;
}

/** @throws when the text is not one complete value. */
export function decode(bytes: Buffer): Bencoded {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (reader.at !== bytes.length) throw new Error('bencode: more than one value');
  return value;
}

class Reader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  value(): Bencoded {
    const first = String.fromCharCode(this.#bytes[this.at] ?? 0);
    if (first === 'i') {
      this.at++;
      return this.#number('e');
    }
    if (first === 'l') return this.#items();
    if (first !== 'd') return this.#text();
    const items = this.#items();
    const entries: [string, Bencoded][] = [];
    for (let i = 0; i < items.length; i += 2) entries.push([String(items[i]), items[i + 1] ?? '']);
    return Object.fromEntries(entries);
  }

  #items(): Bencoded[] {
    const items: Bencoded[] = [];
    this.at++;
    while (this.#bytes[this.at] !== 0x65) items.push(this.value());
    this.at++;
    return items;
  }

  #number(end: string): number {
    const stop = this.#bytes.indexOf(end, this.at, 'latin1');
    const digits = stop < 0 ? '' : this.#bytes.toString('latin1', this.at, stop);
    if (!/^-?\d+$/.test(digits)) throw new Error(`bencode: no number at ${this.at}`);
    this.at = stop + 1;
    return Number(digits);
  }

  #text(): string {
    const length = this.#number(':');
    const end = this.at + length;
    if (length < 0 || end > this.#bytes.length) throw new Error('bencode: text is cut off');
    const text = this.#bytes.toString('utf8', this.at, end);
    this.at = end;
    return text;
  }
}
