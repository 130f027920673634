/**
 * A recording as a file. In the clear: a prelude, and a header that says where it comes from. Then blocks of records, each compressed
 * (deflate) and encrypted (AES-256-GCM) with a key that is not in the file: recordings hold messages of users, their digest responses,
 * and the secrets of the node. A block is bound to the header and to its place, so that none can be changed, moved or left out unseen.
 *
 *   prelude   'STROWREC', u8 version, u8 reason (place in END_NAMES), u16 ABI version, u32 bytes of the header
 *   header    JSON, {@link RecordingHeader}
 *   blocks    u32 bytes sealed, u32 bytes of records, sealed bytes
 *
 * WebCrypto and the compression streams are the same in Node and in a page (there only on HTTPS or localhost).
 */
import { ABI_VERSION } from '../../assembly/abi.ts';
import { hex, joined } from './globals.ts';
import { encodeRecord, END_NAMES, type EndName, REC_END, RecordingError } from './records.ts';

const MAGIC = new TextEncoder().encode('STROWREC');
const FILE_VERSION = 1;
const PRELUDE_BYTES = 16;
const AT_VERSION = 8;
/** Where the reason lies, which is known only at the end; it is repeated in the last record, where it can't be changed. */
export const REASON_OFFSET = 9;
const AT_ABI = 10;
const AT_HEADER_BYTES = 12;
const HEADER_BYTES_MAX = 4096;
const BLOCK_HEAD_BYTES = 8;
/** Of header and prelude, from the beginning of a file. */
export const FRONT_BYTES_MAX = PRELUDE_BYTES + HEADER_BYTES_MAX;
export const KEY_BYTES = 32;
const KEY_ID_BYTES = 8;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
/** No block has more records than that; a larger number is a mistake. */
const BLOCK_BYTES_MAX = 1 << 29;

/** What anybody can read who has the file. */
export interface RecordingHeader {
  /** Name of the node. */
  node: string;
  /** When the file was begun, RFC 3339. */
  startedAt: string;
  /** SHA-256 of the core that was recorded, 64 hex digits. */
  core: string;
  /** First bytes of the SHA-256 of the key, 16 hex digits. */
  key: string;
  /** Hex digits from which, with the key, the key of this file is derived. */
  salt: string;
}

/** Header and what the prelude says. */
export interface RecordingFront extends RecordingHeader {
  abiVersion: number;
  /** As the prelude says it, unsigned. */
  ended: EndName;
}

type Bytes = Uint8Array<ArrayBuffer>;
/** Compresses to deflate without a header (RFC 1951). */
export type Deflate = (bytes: Bytes) => Promise<Bytes>;

/** Which key it is, without saying anything about it. */
export async function keyId(key: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', key);
  return hex(new Uint8Array(digest, 0, KEY_ID_BYTES));
}

/** The key of one file: so the numbers of its blocks are used once with it. */
async function fileKey(key: Bytes, salt: string): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveKey']);
  const encode = (text: string): Bytes => new TextEncoder().encode(text);
  const derivation = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: encode(salt),
    info: encode('strowger recording'),
  };
  return crypto.subtle.deriveKey(derivation, base, { name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
}

/** Parameters of AES-GCM for a block: its number is the nonce; front and length are authenticated, the reason left out. */
function sealOf(front: Bytes, index: number, recordBytes: number): AesGcmParams {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setUint32(8, index, true);
  const additionalData = new Uint8Array(front.length + 4);
  additionalData.set(front);
  additionalData[REASON_OFFSET] = 0;
  new DataView(additionalData.buffer).setUint32(front.length, recordBytes, true);
  return { name: 'AES-GCM', iv, additionalData };
}

async function through(bytes: Bytes, stream: CompressionStream | DecompressionStream): Promise<Bytes> {
  const out = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(out).arrayBuffer());
}

/** Makes the bytes of a file, one part after the other. */
export class RecordingWriter {
  /** What the file begins with. */
  readonly front: Bytes;
  readonly #key: CryptoKey;
  readonly #deflate: Deflate;
  #blocks = 0;

  private constructor(front: Bytes, key: CryptoKey, deflate: Deflate) {
    this.front = front;
    this.#key = key;
    this.#deflate = deflate;
  }

  /** @param key  KEY_BYTES of it. @param deflate  default: the compression stream, thorough and slow. */
  static async create(
    from: Pick<RecordingHeader, 'node' | 'startedAt' | 'core'>,
    key: Bytes,
    deflate: Deflate = (bytes) => through(bytes, new CompressionStream('deflate-raw')),
  ): Promise<RecordingWriter> {
    const salt = hex(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));
    const header: RecordingHeader = { ...from, key: await keyId(key), salt };
    const json = new TextEncoder().encode(JSON.stringify(header));
    const prelude = new Uint8Array(PRELUDE_BYTES);
    prelude.set(MAGIC);
    const view = new DataView(prelude.buffer);
    view.setUint8(AT_VERSION, FILE_VERSION);
    view.setUint16(AT_ABI, ABI_VERSION, true);
    view.setUint32(AT_HEADER_BYTES, json.length, true);
    return new RecordingWriter(joined([prelude, json]), await fileKey(key, salt), deflate);
  }

  /** The next block, of whole records. */
  async block(records: Bytes): Promise<Bytes> {
    const packed = await this.#deflate(records);
    const parameters = sealOf(this.front, this.#blocks++, records.length);
    const sealed = new Uint8Array(await crypto.subtle.encrypt(parameters, this.#key, packed));
    const head = new Uint8Array(BLOCK_HEAD_BYTES);
    const view = new DataView(head.buffer);
    view.setUint32(0, sealed.length, true);
    view.setUint32(4, records.length, true);
    return joined([head, sealed]);
  }

  /** The last block. The reason also has to be written at REASON_OFFSET, by its place in END_NAMES. */
  end(reason: EndName, nowUs: number): Promise<Bytes> {
    return this.block(encodeRecord({ kind: REC_END, a: END_NAMES.indexOf(reason), x: nowUs }));
  }
}

/** What the beginning of a file says, without a key. @throws RecordingError with `format`. */
export function readFront(file: Uint8Array): RecordingFront {
  return parseFront(file).front;
}

function parseFront(file: Uint8Array): { front: RecordingFront; bytes: Bytes } {
  if (file.length < PRELUDE_BYTES || !MAGIC.every((byte, i) => file[i] === byte))
    throw new RecordingError('format', 'this is not a recording');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const version = view.getUint8(AT_VERSION);
  if (version !== FILE_VERSION)
    throw new RecordingError(
      'format',
      `a recording of version ${version}; this program reads ${FILE_VERSION}`,
    );
  const headerBytes = view.getUint32(AT_HEADER_BYTES, true);
  const end = PRELUDE_BYTES + headerBytes;
  if (headerBytes > HEADER_BYTES_MAX || end > file.length)
    throw new RecordingError('damaged', 'the header of the recording is cut off');
  const ended = END_NAMES[view.getUint8(REASON_OFFSET)] ?? 'open';
  const header = parseHeader(file.slice(PRELUDE_BYTES, end));
  return {
    front: { ...header, abiVersion: view.getUint16(AT_ABI, true), ended },
    bytes: file.slice(0, end) as Bytes,
  };
}

function parseHeader(json: Uint8Array): RecordingHeader {
  try {
    const value = JSON.parse(new TextDecoder().decode(json)) as Record<keyof RecordingHeader, unknown>;
    const { node, startedAt, core, key, salt } = value;
    if ([node, startedAt, core, key, salt].every((field) => typeof field === 'string'))
      return { node, startedAt, core, key, salt } as RecordingHeader;
  } catch {
    // Said below.
  }
  throw new RecordingError('damaged', 'the header of the recording is damaged');
}

/** A file that was opened. */
export class Recording {
  readonly front: RecordingFront;
  /** Bytes of the file. */
  readonly bytes: number;
  readonly #file: Uint8Array;
  readonly #front: Bytes;
  readonly #key: CryptoKey;
  /** The last block is not whole: who wrote it died meanwhile, or the file was cut. Known when all blocks were read. */
  cut = false;

  private constructor(file: Uint8Array, front: { front: RecordingFront; bytes: Bytes }, key: CryptoKey) {
    this.front = front.front;
    this.bytes = file.length;
    this.#file = file;
    this.#front = front.bytes;
    this.#key = key;
  }

  /** @throws RecordingError when it is none, or the key is not the one it was written with. */
  static async open(file: Uint8Array, key: Bytes): Promise<Recording> {
    if (globalThis.crypto?.subtle === undefined)
      throw new RecordingError('format', 'a page can read recordings only on HTTPS or localhost');
    const parsed = parseFront(file);
    const { front } = parsed;
    if (front.abiVersion !== ABI_VERSION)
      throw new RecordingError(
        'core',
        `recorded with ABI ${front.abiVersion}; this program speaks ${ABI_VERSION}`,
      );
    if (key.length !== KEY_BYTES || (await keyId(key)) !== front.key)
      throw new RecordingError('key', `the recording was written with another key, whose id is ${front.key}`);
    return new Recording(file, parsed, await fileKey(key, front.salt));
  }

  /** Its records, block by block, and how many bytes of the file have been read. @throws RecordingError when it was changed. */
  async *blocks(): AsyncGenerator<{ records: Bytes; readBytes: number }> {
    const view = new DataView(this.#file.buffer, this.#file.byteOffset, this.#file.byteLength);
    let at = this.#front.length;
    for (let index = 0; at + BLOCK_HEAD_BYTES <= this.#file.length; index++) {
      const sealedBytes = view.getUint32(at, true);
      const recordBytes = view.getUint32(at + 4, true);
      if (sealedBytes < TAG_BYTES || recordBytes > BLOCK_BYTES_MAX) throw damagedBlock(index);
      const end = at + BLOCK_HEAD_BYTES + sealedBytes;
      if (end > this.#file.length) break;
      const records = await this.#open(
        index,
        this.#file.slice(at + BLOCK_HEAD_BYTES, end) as Bytes,
        recordBytes,
      );
      at = end;
      yield { records, readBytes: at };
    }
    this.cut = at < this.#file.length;
  }

  async #open(index: number, sealed: Bytes, recordBytes: number): Promise<Bytes> {
    const parameters = sealOf(this.#front, index, recordBytes);
    const packed = await crypto.subtle.decrypt(parameters, this.#key, sealed).catch(() => {
      throw damagedBlock(index);
    });
    const records = await through(new Uint8Array(packed), new DecompressionStream('deflate-raw'));
    if (records.length !== recordBytes) throw damagedBlock(index);
    return records;
  }
}

function damagedBlock(index: number): RecordingError {
  return new RecordingError('damaged', `block ${index} of the recording was changed after it was written`);
}
