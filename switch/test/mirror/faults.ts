/** Draws what goes wrong, and when. */
import type { Random } from '../../../wasm-core/sim/random.ts';
import type { Cluster } from './cluster.ts';
import type { Process } from './network.ts';

const NAMES = ['a', 'b', 'grantor'];
const US_PER_MS = 1_000;

/** Faults until a moment; after that all is repaired. */
export class Faults {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #untilUs: number;
  /** The same ones again and again in a run, so that some runs have many of few kinds. */
  readonly #kinds: (() => void)[];

  constructor(cluster: Cluster, random: Random, untilMs: number) {
    this.#cluster = cluster;
    this.#random = random;
    this.#untilUs = untilMs * US_PER_MS;
    const all = [
      () => this.#crashNode(),
      () => this.#pauseNode(),
      () => this.#crashGrantor(),
      () => this.#pauseGrantor(),
      () => this.#cut(false),
      () => this.#cut(true),
      () => this.#slow(),
      () => cluster.grantor?.drop(),
      () => cluster.nodes[random.below(2)]?.switchover(),
    ];
    this.#kinds = Array.from({ length: random.between(1, 5) }, () => random.pick(all));
    this.#next();
  }

  #next(): void {
    const { scheduler } = this.#cluster;
    scheduler.after(this.#random.between(1, 700) * US_PER_MS, () => {
      if (scheduler.nowUs >= this.#untilUs) return;
      this.#random.pick(this.#kinds)();
      this.#next();
    });
  }

  /** Undoes a fault after a time, and at the end of all at the latest. */
  #undo(longestMs: number, undo: () => void): void {
    const { scheduler } = this.#cluster;
    const atUs = scheduler.nowUs + this.#random.between(1, longestMs) * US_PER_MS;
    scheduler.at(Math.min(atUs, this.#untilUs), undo);
  }

  #crashNode(): void {
    const index = this.#random.below(2);
    this.#cluster.count('node crash');
    this.#cluster.killNode(index);
    this.#undo(1_500, () => this.#cluster.startNode(index));
  }

  #crashGrantor(): void {
    this.#cluster.count('grantor crash');
    this.#cluster.killGrantor();
    this.#undo(1_500, () => this.#cluster.startGrantor());
  }

  #pauseNode(): void {
    this.#pause(this.#cluster.nodes[this.#random.below(2)]?.process, 1_500);
  }

  #pauseGrantor(): void {
    this.#pause(this.#cluster.grantor?.process, 800);
  }

  #pause(process: Process | undefined, longestMs: number): void {
    if (!process) return;
    this.#cluster.count('pause');
    process.pause();
    this.#undo(longestMs, () => process.resume());
  }

  #cut(oneWay: boolean): void {
    const [from, to] = this.#pair();
    this.#cluster.count('cut');
    this.#cluster.network.cut(from, to);
    if (!oneWay) this.#cluster.network.cut(to, from);
    this.#undo(1_500, () => this.#cluster.network.heal());
  }

  #slow(): void {
    const [from, to] = this.#pair();
    this.#cluster.network.slow(from, to);
    this.#undo(1_500, () => this.#cluster.network.heal());
  }

  #pair(): [string, string] {
    const from = this.#random.pick(NAMES);
    return [from, this.#random.pick(NAMES.filter((name) => name !== from))];
  }
}
