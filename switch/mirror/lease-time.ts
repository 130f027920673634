/** Times of the lease, all derived from its length. See docs/availability.md. */

/** How long a lease lasts from when its holder sent the request, ms. A default; 100..10000. */
export const LEASE_MS = 350;

/** Renewals in the time of one lease. */
export const RENEWALS = 5;

/** Time between two renewals, and between two attempts of whatever is tried again, ms. */
export function renewEveryMs(leaseMs: number): number {
  return leaseMs / RENEWALS;
}

/**
 * How long the grantor gives the lease to nobody else after it has answered the holder, ms by its own clock. A holder whose
 * clock runs at 0.9 of true time keeps a lease for leaseMs / 0.9, a grantor whose clock runs at 1.1 waits for
 * this / 1.1: with a factor of 1.25 the grantor is the later one.
 */
export function heldMs(leaseMs: number): number {
  return leaseMs * 1.25;
}
