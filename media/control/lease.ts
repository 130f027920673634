/** Who may command: the grantor of the lease (docs/availability.md) with its clock and its timer. */
import { Grantor, type GrantorOptions } from '../../switch/mirror/grantor.ts';
import type { LeaseReply, LeaseRequest } from '../protocol.ts';

/** One connection of a node. */
export interface Session {
  /** Different for each connection. */
  readonly connection: number;
  /** Name of the node, '' before its hello. */
  node: string;
}

/** Time of its own: ms of the monotonic clock. */
export class Lease {
  readonly leaseMs: number;
  readonly #grantor: Grantor;
  #timer: NodeJS.Timeout | null = null;
  /** Called when nobody has the lease any more. */
  onFree: () => void = () => undefined;

  constructor(options: GrantorOptions) {
    this.leaseMs = options.leaseMs;
    this.#grantor = new Grantor(options);
  }

  /** Newest epoch, 0 = none. */
  get epoch(): number {
    return this.#grantor.epoch;
  }

  /** Whether the next ask is granted. */
  get isFree(): boolean {
    return performance.now() >= this.#grantor.freeAtMs;
  }

  admits(epoch: number): boolean {
    return this.#grantor.admits(epoch);
  }

  holds(session: Session): boolean {
    return this.#grantor.holds(session.connection);
  }

  /** Nodes can connect from now on. */
  opened(): void {
    this.#grantor.opened(performance.now());
    this.#await();
  }

  answer({ connection, node }: Session, { id, want, epoch }: LeaseRequest): LeaseReply {
    if (want === 'release') {
      const released = this.#grantor.release(connection, epoch);
      if (released) this.onFree();
      return { id, status: released ? 200 : 409, epoch: this.epoch };
    }
    const answer = this.#grantor[want](connection, node, epoch, performance.now());
    this.#await();
    return { id, status: answer.granted ? 200 : 409, epoch: answer.epoch };
  }

  /** The node has closed its connection; not to be called when this side has. */
  closed(session: Session): void {
    if (this.#grantor.closed(session.connection)) this.onFree();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** Looks when the lease ends; a renewal in between makes it look once more. */
  #await(): void {
    if (this.#timer !== null) return;
    const waitMs = this.#grantor.freeAtMs - performance.now();
    if (!Number.isFinite(waitMs) || waitMs < 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#grantor.tick(performance.now())) this.onFree();
      else this.#await();
    }, waitMs + 1);
  }
}
