/** A session as the part of an address behind `#`, so that it can be sent to somebody. */
import type { Scenario } from '../../wasm-core/sim/scenario.ts';
import type { Act } from './session.ts';

/** What a session is made from. */
export type Source =
  | { kind: 'built-in'; id: string }
  | { kind: 'seed'; seed: number /** Of load. */; minutes: number }
  | { kind: 'scenario'; scenario: Scenario };

export interface SharedState {
  source: Source;
  acts: readonly Act[];
  /** Virtual time, µs. */
  atUs: number;
  /** Virtual seconds per second; 0: as fast as possible. */
  speed: number;
}

const VERSION = 1;
const PREFIX = '#s=';

/** Thrown for a link that can't be read. */
export class LinkError extends Error {
  override name = 'LinkError';
}

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** Gives `#s=...`: JSON, deflated, in base64url (RFC 4648 5). */
export async function writeLink(state: SharedState): Promise<string> {
  const json = new TextEncoder().encode(JSON.stringify({ version: VERSION, ...state }));
  const bytes = await through(json, new CompressionStream('deflate-raw'));
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return PREFIX + btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * Reads what `writeLink` gives. `#seed=N` and `#scenario=ID` are links, too, for people to write.
 * @returns null when the fragment holds no session
 * @throws LinkError when it holds one that is damaged or of another version
 */
export async function readLink(fragment: string): Promise<SharedState | null> {
  const plain = /^#(seed|scenario)=([\w-]+)$/.exec(fragment);
  if (plain !== null) return { source: sourceOf(plain[1]!, plain[2]!), acts: [], atUs: 0, speed: 1 };
  if (!fragment.startsWith(PREFIX)) return null;
  const text = fragment.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/');
  let state: SharedState & { version: number };
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const json = await through(bytes, new DecompressionStream('deflate-raw'));
    state = JSON.parse(new TextDecoder().decode(json)) as typeof state;
  } catch {
    throw new LinkError('The link is damaged: a part of it may be missing.');
  }
  if (state.version !== VERSION)
    throw new LinkError(`The link is of version ${state.version}, this page reads ${VERSION}.`);
  const { source, acts, atUs, speed } = state;
  return { source, acts, atUs, speed };
}

/** Takes a session out of the address: another one is shown. */
export function forgetLink(): void {
  history.replaceState(null, '', location.pathname + location.search);
}

function sourceOf(kind: string, value: string): Source {
  if (kind === 'scenario') return { kind: 'built-in', id: value };
  const seed = Number(value);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new LinkError('A seed is a whole number from 0 to 2^53 - 1.');
  return { kind: 'seed', seed, minutes: SEED_MINUTES };
}

/** Load of a seed's scenario, as in `npm run sim`. */
export const SEED_MINUTES = 20;
