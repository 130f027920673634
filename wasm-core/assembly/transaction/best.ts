/**
 * The best of the final responses of a context's branches (RFC 3261 16.7 step 6), kept until all have answered.
 */
import { blockAlloc, blockFree } from '../mem/pool';
import { blockChanged } from '../mirror/changes';
import { XB_BEST } from '../mirror/transaction-record';
import { writeForwarded } from '../proxy/response';
import { sendBegin } from '../effects';
import { cursor } from '../text';
import { TX_BEST, TX_BEST_LEN, TX_BEST_STATUS, TX_SOURCE } from './tables';

/** Rank of a final status, lower is better. */
function rank(status: u32): u32 {
  if (status >= 600) return 0;
  if (status < 400) return 1;
  switch (status) {
    case 401:
    case 407:
    case 415:
    case 420:
    case 484:
      return 2;
    case 408:
    case 480:
    case 487:
      return 4;
    case 503:
      return 6;
    default:
      return status < 500 ? 3 : 5;
  }
}

/** Makes `status` the best so far, without a message yet; false when there is a better one. */
function take(tx: usize, status: u32): bool {
  const best = load<u16>(tx + TX_BEST_STATUS) as u32;
  if (best != 0 && rank(status) >= rank(best)) return false;
  blockFree(load<u32>(tx + TX_BEST));
  store<u32>(tx + TX_BEST, 0);
  store<u16>(tx + TX_BEST_STATUS, status);
  return true;
}

/** A branch failed with `status` without a response of its own. */
export function bestLocal(tx: usize, status: u32): void {
  take(tx, status);
}

/** A branch failed with the current response. */
export function bestResponse(tx: usize, status: u32): void {
  if (!take(tx, status)) return;
  sendBegin(tx + TX_SOURCE); // written where an effect would be, and not sent
  const from = cursor;
  writeForwarded();
  const len = (cursor - from) as u32;
  const block = blockAlloc(len);
  if (block == 0) return; // the status is kept, and answered by a response of our own
  memory.copy(block, from, len);
  blockChanged(tx, XB_BEST);
  store<u32>(tx + TX_BEST, block as u32);
  store<u32>(tx + TX_BEST_LEN, len);
}
