/** Timers of RFC 3261 (table 4), ms. */
export const T1_MS = 500;
export const T2_MS = 4_000;
export const T4_MS = 5_000;
/** Timers B, F, H, J, L, M. */
export const LONGEST_MS = 64 * T1_MS;
/** Timer D over UDP. */
export const D_MS = 32_000;
/** 100 when there is no other response so soon (17.2.1). */
export const TRYING_MS = 200;
/** A caller that has heard of ringing only cancels after this: longer than the least timer C (3 min). */
export const RING_MAX_MS = 200_000;
/** A callee hangs up after this, when the caller hasn't: calls of scenarios are meant to be shorter. */
export const CALLEE_HOLD_MS = 600_000;
