/**
 * Both nodes of a pair begin anew, one after the other: first the standby; when that has everything, it takes over, and the node that was active begins
 * anew as its standby. For new software or configuration, without a refused request.
 */
import type { Logger } from './log.ts';
import type { PairRole } from './pair-role.ts';

const LOOK_MS = 50;
/** A standby has to be back, and to have everything, within this. */
const PATIENCE_MS = 60_000;

export class RollingRestart {
  readonly #pair: Pick<PairRole, 'peer' | 'canSwitchOver' | 'switchOver'>;
  readonly #restartPeer: () => void;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | null = null;

  /** @param restartPeer ends the standby's process, so that it is started again. */
  constructor(
    pair: Pick<PairRole, 'peer' | 'canSwitchOver' | 'switchOver'>,
    restartPeer: () => void,
    log: Logger,
  ) {
    this.#pair = pair;
    this.#restartPeer = restartPeer;
    this.#log = log;
  }

  /** Begins. False: it is under way, or there is no standby that has everything. */
  begin(): boolean {
    if (this.#timer !== null || !this.#pair.canSwitchOver) return false;
    const before = this.#pair.peer?.pid;
    const untilMs = performance.now() + PATIENCE_MS;
    this.#log.info('rolling restart: the standby begins anew');
    this.#restartPeer();
    this.#timer = setInterval(() => {
      const { peer, canSwitchOver } = this.#pair;
      if (peer !== null && peer.pid !== before && canSwitchOver) {
        this.stop();
        this.#log.info({ peer: peer.node }, 'rolling restart: the standby takes over');
        this.#pair.switchOver();
      } else if (performance.now() > untilMs) {
        this.stop();
        this.#log.error('rolling restart: the standby did not come back; this node stays active');
      }
    }, LOOK_MS);
    return true;
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
