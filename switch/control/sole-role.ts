/** The role of a node without a peer: it asks for the lease, renews it, and asks anew should it have lost it. */
import type { MediaClient } from '../../media/client.ts';
import type { StepDownReason } from '../mirror/role.ts';
import { RoleKeeper } from './role-keeper.ts';

/**
 * The client commands while the node holds the lease. At the first time the media process closes the calls that it still has: they are
 * those of a process that died.
 * @param leaseMs  the same as that of the client
 * @param lost     is told when the lease was lost
 */
export function keepSoleRole(
  client: MediaClient,
  leaseMs: number,
  lost: (reason: StepDownReason) => void = () => undefined,
): RoleKeeper {
  let fresh = true;
  const keeper = new RoleKeeper({ leaseMs, peer: false }, client, (action) => {
    if (action.type === 'promote') {
      client.activate(action.epoch, fresh ? [] : null);
      fresh = false;
    } else if (action.type === 'stepDown') {
      client.deactivate();
      lost(action.reason);
      keeper.feed({ type: 'restarted' });
    }
  });
  return keeper;
}
