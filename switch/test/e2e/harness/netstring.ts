/** Netstrings (`5:hello,`), the framing of baresip's control connection. Lengths are in bytes. */

/** Frames a text. */
export function encodeNetstring(text: string): Buffer {
  const body = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from(`${body.length}:`, 'latin1'), body, Buffer.from(',', 'latin1')]);
}

/** Takes whole frames out of a byte stream. */
export class NetstringReader {
  #buffer = Buffer.alloc(0);

  /** Adds bytes and returns the texts they complete; throws on what is no netstring. */
  read(bytes: Buffer): string[] {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    const texts: string[] = [];
    for (;;) {
      const colon = this.#buffer.indexOf(0x3a);
      if (colon < 0) return texts;
      const length = Number(this.#buffer.toString('latin1', 0, colon));
      if (!Number.isInteger(length))
        throw new Error(`not a netstring: ${this.#buffer.toString('latin1', 0, 20)}`);
      const end = colon + 1 + length;
      if (this.#buffer.length <= end) return texts;
      texts.push(this.#buffer.toString('utf8', colon + 1, end));
      this.#buffer = this.#buffer.subarray(end + 1);
    }
  }
}
