/**
 * Virtual time: events in the order of their times, and of being scheduled where these are equal. Nothing else makes time
 * go on.
 */

/** Something that is due. */
export class Timer {
  /** µs of virtual time. */
  readonly atUs: number;
  readonly order: number;
  run: (() => void) | null;

  constructor(atUs: number, order: number, run: () => void) {
    this.atUs = atUs;
    this.order = order;
    this.run = run;
  }

  /** It will not happen; nothing when it has. */
  cancel(): void {
    this.run = null;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}

export class Scheduler {
  /** A binary heap. */
  readonly #heap: Timer[] = [];
  #order = 0;
  /** µs since the simulation began. */
  nowUs = 0;

  /** Runs `run` at a time; one that has passed means now, after what is due already. */
  at(atUs: number, run: () => void): Timer {
    const timer = new Timer(Math.max(atUs, this.nowUs), this.#order++, run);
    this.#push(timer);
    return timer;
  }

  after(delayUs: number, run: () => void): Timer {
    return this.at(this.nowUs + delayUs, run);
  }

  /** When the next event is due; undefined when nothing is to come. */
  nextUs(): number | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return undefined;
      if (first.run !== null) return first.atUs;
      this.#pop();
    }
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    if (this.nextUs() === undefined) return false;
    const timer = this.#pop();
    this.nowUs = timer.atUs;
    const { run } = timer;
    timer.run = null;
    run!();
    return true;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let i = heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(timer, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = timer;
  }

  #pop(): Timer {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}
