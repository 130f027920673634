/** How peers are called and drawn in reports. */
import { CALL_PEERS, type PeerKind, registrarPeers } from '../../peers/peer.ts';
import type { Ink } from './svg.ts';

const INKS: readonly Ink[] = [0, 1, 2, 3, 4, 5];

/** The title of one that routes calls; its id when it is none of {@link CALL_PEERS}. */
export function titleOf(id: string): string {
  return titleIn(CALL_PEERS, id);
}

/** The title of a registrar. */
export function registrarTitle(id: string): string {
  return titleIn(registrarPeers(false), id);
}

function titleIn(kinds: readonly PeerKind[], id: string): string {
  return kinds.find((kind) => kind.id === id)?.title ?? id;
}

/** The same colour for a peer in every picture. */
export function inkOf(id: string): Ink {
  const ids = new Set([...CALL_PEERS, ...registrarPeers(false)].map((kind) => kind.id));
  return inkAt([...ids].indexOf(id));
}

/** A colour of its own for each of the first series of a picture. */
export function inkAt(index: number): Ink {
  return INKS[Math.max(index, 0) % INKS.length]!;
}
