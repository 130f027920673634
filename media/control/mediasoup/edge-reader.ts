/** Reads the edge's counters for many legs in one question. */
import type { EdgeLegStats, EdgePort } from '../../edge/types.ts';

type Waiting = (stats: EdgeLegStats | undefined) => void;

/** Collects the questions of one turn of the event loop. */
export class EdgeReader {
  readonly #edge: Pick<EdgePort, 'stats'>;
  #waiting = new Map<number, Waiting[]>();

  constructor(edge: Pick<EdgePort, 'stats'>) {
    this.#edge = edge;
  }

  /** Counters of a leg; undefined when the edge doesn't know it (any more). */
  read(id: number): Promise<EdgeLegStats | undefined> {
    if (this.#waiting.size === 0) setImmediate(() => void this.#ask());
    return new Promise((resolve) => {
      const others = this.#waiting.get(id);
      if (others) others.push(resolve);
      else this.#waiting.set(id, [resolve]);
    });
  }

  async #ask(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    // Without its edge a leg has no counters; the process ends then anyway.
    const all = await this.#edge.stats([...waiting.keys()]).catch(() => []);
    const byId = new Map(all.map((stats) => [stats.id, stats]));
    for (const [id, resolves] of waiting) for (const resolve of resolves) resolve(byId.get(id));
  }
}
