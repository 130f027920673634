/**
 * The state of a core is its memory and its global variables. The latter are not exported, so that what is compiled for a replay is
 * the core with exports added for them: code and numbering are untouched.
 */
import { RecordingError } from './records.ts';

/** WebAssembly's numbers of the types that a global can have here. */
const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const SECTION_IMPORT = 2;
const SECTION_GLOBAL = 6;
const SECTION_EXPORT = 7;
const EXPORT_GLOBAL = 3;
const MAGIC = [0, 0x61, 0x73, 0x6d];
const MODULE_HEADER_BYTES = 8;
const OP_END = 0x0b;
/** In a state, each global takes so many bytes. */
const GLOBAL_BYTES = 8;

/** A variable of the core. */
interface GlobalVariable {
  index: number;
  /** I32 and so on. */
  type: number;
}

/** A core that can be stopped, looked into and set. */
export interface ReplayModule {
  module: WebAssembly.Module;
  globals: readonly GlobalVariable[];
  /** SHA-256 of the core as it was given, 64 hex digits. */
  sha256: string;
}

/** SHA-256 as hex digits. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Compiles a core for replay. @throws RecordingError when it is no core. */
export async function compileForReplay(wasm: Uint8Array<ArrayBuffer>): Promise<ReplayModule> {
  const { bytes, globals } = withGlobalsExported(wasm);
  return { module: await WebAssembly.compile(bytes), globals, sha256: await sha256Hex(wasm) };
}

/** Reads a module's bytes (WebAssembly core specification, 5.5). */
class ModuleReader {
  readonly bytes: Uint8Array<ArrayBuffer>;
  at = MODULE_HEADER_BYTES;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw notACore();
    return byte;
  }

  /** Unsigned LEB128. */
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
      if (shift > 28) throw notACore();
    }
  }

  /** Passes over a constant expression: one instruction with its operand, and the end. */
  skipConstant(): void {
    const op = this.byte();
    if (op === 0x43) this.at += 4;
    else if (op === 0x44) this.at += 8;
    else while (this.byte() >= 0x80); // i32.const, i64.const, global.get: LEB128
    if (this.byte() !== OP_END) throw notACore();
  }
}

function notACore(): RecordingError {
  return new RecordingError('core', 'this is not a signalling core');
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

function readGlobals(reader: ModuleReader): GlobalVariable[] {
  const variables: GlobalVariable[] = [];
  const count = reader.u32();
  for (let index = 0; index < count; index++) {
    const type = reader.byte();
    const mutable = reader.byte() === 1;
    reader.skipConstant();
    if (!mutable) continue;
    if (type < F64 || type > I32) throw notACore();
    variables.push({ index, type });
  }
  return variables;
}

function nameOf({ index }: GlobalVariable): string {
  return `$${index}`;
}

/** The export section with the globals added. */
function exportSection(content: Uint8Array, globals: readonly GlobalVariable[]): Uint8Array {
  const reader = new ModuleReader(new Uint8Array(content));
  reader.at = 0;
  const count = reader.u32();
  const added = globals.flatMap((global) => {
    const name = Array.from(nameOf(global), (character) => character.charCodeAt(0));
    return [name.length, ...name, EXPORT_GLOBAL, ...leb(global.index)];
  });
  return new Uint8Array([...leb(count + globals.length), ...content.subarray(reader.at), ...added]);
}

function withGlobalsExported(wasm: Uint8Array<ArrayBuffer>): {
  bytes: Uint8Array<ArrayBuffer>;
  globals: GlobalVariable[];
} {
  const reader = new ModuleReader(wasm);
  if (wasm.length < MODULE_HEADER_BYTES || !MAGIC.every((byte, i) => wasm[i] === byte)) throw notACore();
  const parts: Uint8Array[] = [wasm.subarray(0, MODULE_HEADER_BYTES)];
  let globals: GlobalVariable[] = [];
  while (reader.at < wasm.length) {
    const begin = reader.at;
    const id = reader.byte();
    const length = reader.u32();
    const content = wasm.subarray(reader.at, reader.at + length);
    const end = reader.at + length;
    if (id === SECTION_IMPORT) throw notACore(); // a core imports nothing, so globals are numbered from 0
    if (id === SECTION_GLOBAL) globals = readGlobals(reader);
    if (id === SECTION_EXPORT) {
      const section = exportSection(content, globals);
      parts.push(new Uint8Array([SECTION_EXPORT, ...leb(section.length)]), section);
    } else parts.push(wasm.subarray(begin, end));
    reader.at = end;
  }
  return { bytes: joined(parts), globals };
}

/** The parts one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function variableOf(exports: WebAssembly.Exports, global: GlobalVariable): WebAssembly.Global {
  return exports[nameOf(global)] as WebAssembly.Global;
}

/** The values of all variables, for a REC_STATE. */
export function readState({ globals }: ReplayModule, exports: WebAssembly.Exports): Uint8Array {
  const bytes = new Uint8Array(globals.length * GLOBAL_BYTES);
  const view = new DataView(bytes.buffer);
  globals.forEach((global, i) => {
    const { value } = variableOf(exports, global);
    const at = i * GLOBAL_BYTES;
    if (global.type === I32) view.setInt32(at, value, true);
    else if (global.type === I64) view.setBigInt64(at, value, true);
    else if (global.type === F32) view.setFloat32(at, value, true);
    else view.setFloat64(at, value, true);
  });
  return bytes;
}

/** Sets all variables. @throws RecordingError when the state is of a core with other variables. */
export function writeState({ globals }: ReplayModule, exports: WebAssembly.Exports, state: Uint8Array): void {
  if (state.length !== globals.length * GLOBAL_BYTES)
    throw new RecordingError('core', 'the recording begins with the state of another core');
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  globals.forEach((global, i) => {
    const at = i * GLOBAL_BYTES;
    const variable = variableOf(exports, global);
    if (global.type === I32) variable.value = view.getInt32(at, true);
    else if (global.type === I64) variable.value = view.getBigInt64(at, true);
    else if (global.type === F32) variable.value = view.getFloat32(at, true);
    else variable.value = view.getFloat64(at, true);
  });
}
