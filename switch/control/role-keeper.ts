/** Gives the role machine its clock and its timer, and does what it says or has it done. */
import type { LeaseAction, MediaClient } from '../../media/client.ts';
import { type RoleAction, type RoleEvent, RoleMachine, type RoleOptions } from '../mirror/role.ts';

/** What the node does when its role changes. */
export type HostAction = Exclude<RoleAction, LeaseAction>;

/** Ticks of the machine in one lease. */
const TICKS = 10;

/** Times are those of `performance.now()`. */
export class RoleKeeper {
  readonly machine: RoleMachine;
  readonly #client: Pick<MediaClient, 'lease'>;
  readonly #act: (action: HostAction) => void;
  readonly #timer: NodeJS.Timeout;
  /** What is to be handled; not empty while something is being handled. */
  readonly #events: RoleEvent[] = [];

  /** @param act may feed events; they are handled after all actions of the event before. */
  constructor(
    options: RoleOptions,
    client: Pick<MediaClient, 'lease' | 'onLease'>,
    act: (action: HostAction) => void,
  ) {
    this.machine = new RoleMachine(options, performance.now());
    this.#client = client;
    this.#act = act;
    client.onLease = (event) => this.feed(event);
    this.#timer = setInterval(() => this.feed({ type: 'tick' }), options.leaseMs / TICKS);
  }

  feed(event: RoleEvent): void {
    this.#events.push(event);
    if (this.#events.length > 1) return;
    for (let next = this.#events[0]; next !== undefined; next = this.#events[0]) {
      for (const action of this.machine.handle(next, performance.now())) this.#do(action);
      this.#events.shift();
    }
  }

  /** The node ends: it has stopped serving, or does so by that. */
  close(): void {
    clearInterval(this.#timer);
    this.feed({ type: 'stop' });
  }

  #do(action: RoleAction): void {
    if (action.type === 'ask' || action.type === 'renew' || action.type === 'release')
      this.#client.lease(action);
    else this.#act(action);
  }
}
