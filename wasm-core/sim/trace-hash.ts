/**
 * A hash over all that happens in a simulation, to tell whether two runs are the same: two lanes of 32 bits in the manner of
 * MurmurHash3, 16 hexadecimal digits. Good against accidents, not against an adversary.
 */
export class TraceHash {
  #a = 0x9747b28c;
  #b = 0x3c6ef372;
  /** Messages, moments and so on that went in. */
  count = 0;

  /** A whole number from 0 to 2^53 - 1. */
  number(value: number): void {
    this.#word(value | 0);
    this.#word(Math.floor(value / 0x1_0000_0000));
    this.count++;
  }

  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    const whole = length & ~3;
    for (let i = 0; i < whole; i += 4) {
      this.#word(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    }
    let last = length;
    for (let i = whole; i < length; i++) last = (last << 8) ^ bytes[i]!;
    this.#word(last);
    this.count++;
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#word(text.charCodeAt(i));
    this.number(text.length);
  }

  #word(word: number): void {
    const a = Math.imul(this.#a ^ Math.imul(word, 0xcc9e2d51), 0x1b873593);
    this.#a = (a << 13) | (a >>> 19);
    this.#b = Math.imul((this.#b ^ word ^ (a >>> 7)) + 0x6b79, 0x85ebca6b);
  }

  /** 16 hexadecimal digits. */
  get hex(): string {
    const part = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
    return part(this.#a ^ (this.#b >>> 15)) + part(this.#b ^ (this.#a >>> 13));
  }
}
