/**
 * The parser and the hashes alone, without the rest of the core: a module of their own, compiled from the sources in
 * `assembly/sip` and `assembly/crypto` when these have changed, with what they export as it is.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ASSEMBLY, type Build, compile } from './compile.ts';

/** Exports functions of the others under their own names. */
const REEXPORTS = ['lines.ts', 'status.ts'];
/** Bytes before this belong to the tables of the module. */
const SCRATCH = 0x18000;

type Exports = Record<string, ((...args: (number | bigint)[]) => number | bigint) & { value: number }>;

function compiled(build: Build): WebAssembly.Module {
  const folders = ['sip', 'crypto'].map((folder) => join(ASSEMBLY, folder));
  const sources = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const entries = sources.filter((source) => !REEXPORTS.some((other) => source.endsWith(`/${other}`)));
  return new WebAssembly.Module(compile('parser-test', entries, build));
}

/** What may be read behind a text (COPY_SLACK, scan.ts). */
const SLACK = 16;
/** What stands there in turn: nothing may be made of it. */
const BEHIND = ['\0', '\xff', 'a', '0', ' ', ':', ';', ',', '=', '"', '>', '\r\n', '\n '];

export class Parser {
  readonly exports: Exports;
  readonly bytes: Uint8Array;
  /** Where what `put` puts ends. */
  readonly end: number;
  #behind = 0;

  constructor(build: Build = 'simd') {
    const instance = new WebAssembly.Instance(compiled(build));
    this.exports = instance.exports as unknown as Exports;
    this.bytes = new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
    this.end = this.bytes.length - SLACK;
    this.call('headersInit');
    this.call('base64Init');
  }

  call(name: string, ...args: number[]): number {
    return Number(this.exports[name]!(...args));
  }

  /** Value of an exported variable. */
  get(name: string): number {
    return this.exports[name]!.value;
  }

  /** Puts text (UTF-8) or bytes at the end of memory, so that reading more than SLACK behind them traps; returns the address. */
  put(content: string | Uint8Array): number {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const at = this.end - bytes.length;
    this.bytes.set(bytes, at);
    this.bytes.set(Buffer.alloc(SLACK, BEHIND[this.#behind++ % BEHIND.length], 'latin1'), this.end);
    return at;
  }

  /** Puts content at a scratch address, `slot` of 4 KiB each. */
  scratch(slot: number, content: string | Uint8Array = ''): number {
    const at = SCRATCH + slot * 4096;
    this.bytes.set(typeof content === 'string' ? Buffer.from(content) : content, at);
    return at;
  }

  /** Puts and parses a message: PE_*, 0 when it is fine. */
  parse(content: string | Uint8Array, stream = false): number {
    const at = this.put(content);
    return this.call('parseMessage', at, this.end - at, stream ? 1 : 0);
  }

  /** What a message is answered with: 200 where it parses, 0 where it is dropped. */
  verdict(content: string | Uint8Array, stream = false): number {
    return this.parse(content, stream) === 0 ? 200 : this.call('parseStatus');
  }

  /** Text of `length` bytes at `at`. */
  text(at: number, length: number): string {
    return Buffer.from(this.bytes.subarray(at, at + length)).toString('utf8');
  }

  /** Text of the span in the variables `<name>Ptr` and `<name>Len`. */
  span(name: string): string {
    return this.text(this.get(`${name}Ptr`), this.get(`${name}Len`));
  }

  /** Values of the header lines with that id (name of a constant, `H_VIA`). */
  values(id: string): string[] {
    const found: string[] = [];
    for (let i = this.call('hdrFirst', this.get(id)); i >= 0; i = this.call('hdrNext', i)) {
      found.push(this.text(this.call('hdrVal', i), this.call('hdrValLen', i)));
    }
    return found;
  }
}
