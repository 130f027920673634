/**
 * The parser and the hashes alone, without the rest of the core: a module of their own, compiled from the sources in
 * `assembly/sip` and `assembly/crypto` when these have changed, with what they export as it is.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const BUILD = join(ROOT, 'build');
const ASSEMBLY = join(ROOT, 'wasm-core/assembly');
/** Exports functions of the others under their own names. */
const REEXPORTS = ['lines.ts', 'status.ts'];
const OPTIONS = '--config none --runtime stub --enable simd --use abort= --initialMemory 4 -O3 --noAssert';
/** Bytes before this belong to the tables of the module. */
const SCRATCH = 0x18000;

type Exports = Record<string, ((...args: (number | bigint)[]) => number | bigint) & { value: number }>;

function compile(): WebAssembly.Module {
  const folders = ['sip', 'crypto'].map((folder) => join(ASSEMBLY, folder));
  const sources = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const hash = createHash('sha256').update(OPTIONS);
  for (const source of [...sources, join(ASSEMBLY, 'abi.ts')]) hash.update(readFileSync(source));
  const name = `parser-test-${hash.digest('hex').slice(0, 16)}.wasm`;
  const out = join(BUILD, name);
  if (!existsSync(out)) {
    mkdirSync(BUILD, { recursive: true });
    for (const old of readdirSync(BUILD)) {
      if (old.startsWith('parser-test-') && old.endsWith('.wasm')) rmSync(join(BUILD, old), { force: true });
    }
    const entries = sources.filter((source) => !REEXPORTS.some((other) => source.endsWith(`/${other}`)));
    const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
    const temporary = `${out}.${process.pid}`;
    execFileSync(process.execPath, [asc, ...entries, ...OPTIONS.split(' '), '-o', temporary], { cwd: ROOT });
    renameSync(temporary, out);
  }
  return new WebAssembly.Module(readFileSync(out));
}

export class Parser {
  readonly exports: Exports;
  readonly bytes: Uint8Array;

  constructor() {
    const instance = new WebAssembly.Instance(compile());
    this.exports = instance.exports as unknown as Exports;
    this.bytes = new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
    this.call('headersInit');
  }

  call(name: string, ...args: number[]): number {
    return Number(this.exports[name]!(...args));
  }

  /** Value of an exported variable. */
  get(name: string): number {
    return this.exports[name]!.value;
  }

  /** Puts text (UTF-8) or bytes at the very end of memory, so that reading behind them traps; returns the address. */
  put(content: string | Uint8Array): number {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const at = this.bytes.length - bytes.length;
    this.bytes.set(bytes, at);
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
    return this.call('parseMessage', at, this.bytes.length - at, stream ? 1 : 0);
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
