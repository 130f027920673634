/** The core that serves production, loaded into this page. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import coreUrl from '../../build/core.wasm?url';

export interface LoadedCore {
  module: WebAssembly.Module;
  bytes: Uint8Array<ArrayBuffer>;
  /** Hexadecimal. */
  sha256: string;
}

/** @throws Error when the server doesn't have it */
export async function loadCore(): Promise<LoadedCore> {
  const response = await fetch(coreUrl);
  if (!response.ok) throw new Error(`${coreUrl}: ${response.status} ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // WebCrypto is missing where a page comes by plain HTTP, and any server will do.
  return { module: await WebAssembly.compile(bytes), bytes, sha256: bytesToHex(sha256(bytes)) };
}
