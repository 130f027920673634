/**
 * Frames between control and realtime thread that are not for the core: about the link to the peer and about taking over. Their
 * kinds are beyond those of the core (abi.ts EV_*, EF_*).
 */

/** The first kind that is not of the core. */
export const LINK_KINDS = 64;
/** To the realtime thread: a stream to the peer. arg0 = descriptor, which the thread owns from then on; payload = what was read from it. */
export const LINK_OPEN = 64;
/** To the realtime thread: close it. */
export const LINK_CLOSE = 65;
/** From the realtime thread: it is closed. arg0 = LINK_END_*. */
export const LINK_CLOSED = 66;
/** Travels on the link: arg0 = role (PEER_ROLES), arg1 = epoch. */
export const LINK_BEAT = 67;
/** To the realtime thread of a standby: open the sockets and take over. arg1 = epoch. */
export const LINK_PROMOTE = 68;
/** From the realtime thread: arg0 = 1 it works, 0 it can't; payload = why not. */
export const LINK_PROMOTED = 69;
/** To the realtime thread: arg0 = 1 take no datagrams, 0 take them again. */
export const LINK_HOLD = 70;

/** From the realtime thread: the core has trapped, and another one has its records; what was asked of the old one is not answered. */
export const LINK_REBUILT = 71;
/** To the realtime thread, in answer to that: what comes behind this is for the new core. */
export const LINK_RESUMED = 72;

/** The peer has closed it, or it is broken. */
export const LINK_END_CLOSED = 0;
/** What came is not of the protocol. */
export const LINK_END_GARBAGE = 1;
/** The core could not apply what came (MIRROR_FAIL_* is in arg1). */
export const LINK_END_FAILED = 2;
/** The peer does not take what is sent. */
export const LINK_END_STUCK = 3;
/** We were asked to. */
export const LINK_END_ASKED = 4;
