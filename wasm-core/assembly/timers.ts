/** Kinds of timers: what `onTimer` in core.ts does with a due node. */
export const TIMER_TRANSACTION: u32 = 1;
export const TIMER_CALL: u32 = 2;
export const TIMER_PENDING: u32 = 3;
export const TIMER_BINDING: u32 = 4;
/** Records wait to be sent to the standby or the journal. */
export const TIMER_MIRROR: u32 = 5;
/** An answer has waited long enough for the standby. */
export const TIMER_HELD: u32 = 6;
/** An offer of our own waits, is to be repeated, or has got no answer. */
export const TIMER_OFFER: u32 = 7;
