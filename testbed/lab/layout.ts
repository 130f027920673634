/** Where hosts stand in the drawing: switches in the middle, each with its phones on rings around all. */
import type { Scenario } from '../../wasm-core/sim/scenario.ts';

export interface Place {
  x: number;
  y: number;
}

export interface Layout {
  places: ReadonlyMap<string, Place>;
  /** Beside its switch, by its name; only of those that anchor media. */
  media: ReadonlyMap<string, Place>;
  /** Radius of a phone, px. */
  phoneRadius: number;
  /** Phones have their numbers beside them: there is room. */
  isRoomy: boolean;
}

/** Free at the edges, px. */
const MARGIN_PX = 46;
const MEDIA_PX = 78;
const RADIUS_MAX_PX = 20;
/** A few phones stand nearer to their switch: so far from the middle, px, for the first two and for each further one. */
const REACH_PX = 300;
const REACH_MORE_PX = 40;
/** With more phones there is no room for their numbers. */
const ROOMY_MAX = 26;
/** More than these on a ring, and there is another one. */
const RING_MAX = 44;

/** @param width, height  of the drawing, px */
export function layout(scenario: Pick<Scenario, 'nodes' | 'phones'>, width: number, height: number): Layout {
  const { nodes, phones } = scenario;
  const [cx, cy] = [width / 2, height / 2];
  const reach = REACH_PX + Math.max(0, phones.length - 2) * REACH_MORE_PX;
  const [rx, ry] = [cx, cy].map((half) => Math.min(reach, Math.max(60, half - MARGIN_PX))) as [
    number,
    number,
  ];
  const places = new Map<string, Place>();
  const media = new Map<string, Place>();
  const rings = Math.ceil(phones.length / RING_MAX);
  const inNodes = nodes.flatMap(({ name }) => phones.filter(({ node }) => node === name));
  // Whole turns of the rings, so that the last phone isn't on the ring of the first, beside it.
  const total = Math.max(1, Math.ceil(inNodes.length / Math.max(1, rings)) * rings);
  let nth = 0;
  for (const { name, anchor } of nodes) {
    const mine = inNodes.filter(({ node }) => node === name);
    // Two phones alone stand left and right.
    const turn = (at: number) => Math.PI + ((at + 0.5) / total - (total > 2 ? 0 : 0.25)) * 2 * Math.PI;
    const middle = turn(nth + (mine.length - 1) / 2);
    const apart = nodes.length === 1 ? 0 : 0.36;
    const at = { x: cx + Math.cos(middle) * rx * apart, y: cy + Math.sin(middle) * ry * apart };
    places.set(name, at);
    if (anchor)
      media.set(name, { x: at.x, y: at.y + (nodes.length > 1 && at.y < cy - 1 ? -MEDIA_PX : MEDIA_PX) });
    for (const phone of mine) {
      const angle = turn(nth);
      const ring = 1 - (nth % rings) * (rings > 2 ? 0.15 : 0.2);
      places.set(phone.name, { x: cx + Math.cos(angle) * rx * ring, y: cy + Math.sin(angle) * ry * ring });
      nth++;
    }
  }
  const phoneRadius = Math.min(RADIUS_MAX_PX, apart([...places.values()]) * 0.4);
  return { places, media, phoneRadius, isRoomy: total <= ROOMY_MAX };
}

/** The least distance of two places. */
function apart(places: readonly Place[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [i, a] of places.entries()) {
    for (const b of places.slice(i + 1)) least = Math.min(least, Math.hypot(a.x - b.x, a.y - b.y));
  }
  return least;
}
