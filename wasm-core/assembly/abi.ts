/**
 * The binary interface of the signalling core: the one place where its numbers are written.
 *
 * The file is both AssemblyScript (compiled into the core) and plain TypeScript (imported by the
 * host in Node and in the browser; `u32` is declared for it in host/assembly.d.ts), so it holds nothing but
 * numeric constants.
 *
 * Everything that enters or leaves the core is a **frame**: a 64-byte header and a payload, padded
 * to 8 bytes. Events enter in receive slots (one frame per slot, so that the kernel can write
 * datagrams straight into them); effects leave in the effect buffer (frames one after the other).
 * Frames travel unchanged over the rings between the realtime and the control thread.
 * All numbers are little-endian. Times are microseconds since the Unix epoch as f64, never going back.
 */

/** Version of this interface, in every frame. A host refuses a core of another version. */
export const ABI_VERSION: u32 = 4;

// --- frame header -----------------------------------------------------------------------------
export const FRAME_HEADER_BYTES: u32 = 64;
export const F_KIND: u32 = 0; // u8: EV_* or EF_*
export const F_VERSION: u32 = 1; // u8: ABI_VERSION
export const F_TRANSPORT: u32 = 2; // u8: TRANSPORT_*
export const F_FLAGS: u32 = 3; // u8: by kind
export const F_LENGTH: u32 = 4; // u32: payload bytes, without padding
export const F_FLOW: u32 = 8; // u32: connection of a stream transport, 0 = none
export const F_PORT: u32 = 12; // u16: remote port, host order
export const F_LISTENER: u32 = 14; // u16: index of the local listener
export const F_ADDRESS: u32 = 16; // 16 bytes: remote IPv6 address, or IPv4-mapped (::ffff:a.b.c.d)
export const F_TIME: u32 = 32; // f64: when it happened (for a message: when it arrived), µs; 0 = not known
export const F_ARG0: u32 = 40; // u32 each, by kind
export const F_ARG1: u32 = 44;
export const F_ARG2: u32 = 48;
export const F_ARG3: u32 = 52;
export const F_ARG4: u32 = 56;
export const F_ARG5: u32 = 60;

// --- receive slots ----------------------------------------------------------------------------
/** Frames that one `step` can take. */
export const RX_SLOTS: u32 = 64;
/** Largest message: the largest UDP payload (RFC 3261 18.1.1). */
export const MESSAGE_BYTES_MAX: u32 = 65535;
/** Slot stride: header, 64 KiB of payload and an odd number of cache lines, so that slots do not share cache sets. */
export const RX_SLOT_BYTES: u32 = 65536 + 64 + 64 * 16;

// --- transports -------------------------------------------------------------------------------
export const TRANSPORT_UDP: u32 = 0;
export const TRANSPORT_TCP: u32 = 1;
export const TRANSPORT_TLS: u32 = 2;
export const TRANSPORT_WS: u32 = 3;
export const TRANSPORT_WSS: u32 = 4;
export const TRANSPORT_COUNT: u32 = 5;

// --- methods (index into counters and masks) --------------------------------------------------
export const METHOD_UNKNOWN: u32 = 0;
export const METHOD_INVITE: u32 = 1;
export const METHOD_ACK: u32 = 2;
export const METHOD_BYE: u32 = 3;
export const METHOD_CANCEL: u32 = 4;
export const METHOD_REGISTER: u32 = 5;
export const METHOD_OPTIONS: u32 = 6;
export const METHOD_INFO: u32 = 7;
export const METHOD_UPDATE: u32 = 8;
export const METHOD_PRACK: u32 = 9;
export const METHOD_MESSAGE: u32 = 10;
export const METHOD_SUBSCRIBE: u32 = 11;
export const METHOD_NOTIFY: u32 = 12;
export const METHOD_REFER: u32 = 13;
export const METHOD_PUBLISH: u32 = 14;
export const METHOD_COUNT: u32 = 15;

// --- events (host to core) --------------------------------------------------------------------
/** A SIP message. transport, flow (streams), address, port, listener; payload = the message. */
export const EV_MESSAGE: u32 = 1;
/** A connection has closed. flow. */
export const EV_FLOW_CLOSED: u32 = 2;
/**
 * Answer to EF_MEDIA/MEDIA_OP_SDP. arg0 = pending id, arg1 = 200 or a SIP error status (400, 488, 500, 503),
 * arg2 = bytes of the plain body, arg3 = bytes of the webrtc body; payload = plain body, then webrtc body.
 */
export const EV_MEDIA_REPLY: u32 = 3;
/** No media on a call for the configured time. arg1 = call slot, arg2 = generation. The core ends the call. */
export const EV_MEDIA_TIMEOUT: u32 = 4;
/** A bank (users, routes, trunks; see host/bank.ts) was written at the address from `stageBank`. arg0 = bytes. */
export const EV_BANK_READY: u32 = 5;
/** arg0 = request id, arg1 = QUERY_*, arg2 = cursor (0 first), arg3 = most records; payload = user part for QUERY_BINDINGS_OF. */
export const EV_QUERY: u32 = 6;
/** End a call: BYE to both sides, or CANCEL and 487 before the answer. arg0 = request id, arg1 = slot, arg2 = generation. */
export const EV_HANGUP: u32 = 7;
/** arg0 = 1: refuse new calls and registrations with 503 (draining); 0: accept. */
export const EV_DRAIN: u32 = 8;
/**
 * An EF_MIRROR frame of the active peer, unchanged but for its kind; taken by a standby only. flags = MIRROR_LOCAL: bindings from a store,
 * with no sequence and no checksum; they count less than what an active core has sent.
 */
export const EV_MIRROR: u32 = 9;
/** The peer has applied all frames up to this one (EF_MIRROR_ACK): arg0, arg1 = sequence number, arg2 = epoch. */
export const EV_MIRROR_ACK: u32 = 10;
/**
 * arg0 = ROLE_*: only from standby to active; arg1 = epoch, as the lease grantor gave it; arg2 = 1: connections are still those of the core
 * that the records come from (it was on this host).
 */
export const EV_ROLE: u32 = 11;
/** The node may act until F_UNTIL (f64, µs); 0 = without end. A step later than that finds the core fenced, for good. */
export const EV_LEASE: u32 = 12;
/** arg0 = 1: a standby is connected and knows nothing, all records are for it; 0: it is gone. */
export const EV_MIRROR_PEER: u32 = 13;
/**
 * A leg of a call needs another offer: an INVITE to it from the switch itself. arg0 = id, arg1 = call slot, arg2 = generation,
 * arg3 = leg; payload = the SDP. What becomes of it comes as EF_MEDIA/MEDIA_OP_OFFERED. One that is still under way to that leg is
 * finished first, and one that waits is replaced; the same id again changes nothing.
 */
export const EV_OFFER: u32 = 14;
export const F_UNTIL: u32 = 48; // f64, in EV_LEASE
export const MIRROR_LOCAL: u32 = 1;
export const ROLE_STANDBY: u32 = 0;
export const ROLE_ACTIVE: u32 = 1;

// --- effects (core to host) -------------------------------------------------------------------
/** Send a message. transport, flow or address and port, listener; payload = the message. */
export const EF_SEND: u32 = 1;
/**
 * Ask the media service. flags = MEDIA_OP_*, arg0 = pending id (SDP only), arg1 = call slot, arg2 = generation.
 * For MEDIA_OP_SDP: arg3 = leg | target leg << 8 | variant of leg << 16 | mask of target variants << 24
 * (target leg 255: not yet known, an initial INVITE that may fork), arg4 = method | status << 16 (status 0: a request),
 * arg5 = CSeq number; address, port = source that signalling vouches for; payload = the SDP.
 * For MEDIA_OP_CLOSE_LEG: arg3 = leg.
 * For MEDIA_OP_OFFERED: arg0 = id of the EV_OFFER, arg3 = leg, arg4 = status: of a 2xx the payload is the answer; 481 there is no such
 * call or leg any more, 503 no room, and else what the leg has refused it with (408: nothing).
 */
export const EF_MEDIA: u32 = 2;
/** A call changed state. arg0 = CALL_STATE_*, arg1 = slot, arg2 = generation; payload = call record (see CR_*). */
export const EF_CALL: u32 = 3;
/** Answer to EV_QUERY. arg0 = request id, arg1 = QUERY_*, arg2 = next cursor or CURSOR_END, arg3 = records here, arg4 = total; payload = records, each led by its u32 length. */
export const EF_QUERY_REPLY: u32 = 4;
/** Something an operator may want to read. arg0 = LOG_*, arg1 = SIP status where there is one; address, port, transport; payload = text (Call-ID or detail). At most LOG_PER_STEP_MAX a step. */
export const EF_LOG: u32 = 5;
/** Close a connection after what was sent before. flow. */
export const EF_CLOSE_FLOW: u32 = 6;
/** Answer to EV_HANGUP. arg0 = request id, arg1 = 1 found, 0 no such call. */
export const EF_HANGUP_REPLY: u32 = 7;
/** A bank was taken into use (arg0 = 1) or refused (0, arg1 = reason). */
export const EF_BANK: u32 = 8;
/**
 * Changed records, for the standby (see MR_*). arg0, arg1 = sequence number (u64), 1 more than the last frame's; arg2 = epoch,
 * arg3 = keyed checksum of the payload; payload = records. At most 63 KiB.
 */
export const EF_MIRROR: u32 = 9;
/** For the active peer: all up to this frame is applied. arg0, arg1 = sequence number, arg2 = newest epoch seen. */
export const EF_MIRROR_ACK: u32 = 10;
/** What the peer sent can't be applied (arg0 = MIRROR_FAIL_*): connect again, so that everything is sent again. */
export const EF_MIRROR_FAIL: u32 = 11;
/** The lease has run out: this core sends nothing any more. Once. */
export const EF_FENCED: u32 = 12;
/** Changed bindings, for a store that survives all nodes; payload = records as in EF_MIRROR. */
export const EF_JOURNAL: u32 = 13;

export const MIRROR_FAIL_SEQUENCE: u32 = 1;
export const MIRROR_FAIL_CHECKSUM: u32 = 2;
export const MIRROR_FAIL_EPOCH: u32 = 3;
export const MIRROR_FAIL_RECORD: u32 = 4;

export const CURSOR_END: u32 = 0xffffffff;
export const LOG_PER_STEP_MAX: u32 = 16;

export const MEDIA_OP_SDP: u32 = 1;
export const MEDIA_OP_CLOSE_LEG: u32 = 2;
export const MEDIA_OP_CLOSE_CALL: u32 = 3;
export const MEDIA_OP_OFFERED: u32 = 4;

/** SDP variants, as bits of a mask. */
export const VARIANT_PLAIN: u32 = 1;
export const VARIANT_WEBRTC: u32 = 2;

/** Leg of the caller; callees are 1 + branch index. */
export const LEG_CALLER: u32 = 0;
export const LEG_UNKNOWN: u32 = 255;

export const QUERY_CALLS: u32 = 1;
export const QUERY_CALL: u32 = 2; // arg2 = slot, arg3 = generation
export const QUERY_BINDINGS: u32 = 3;

export const CALL_STATE_FREE: u32 = 0;
export const CALL_STATE_INVITED: u32 = 1;
export const CALL_STATE_RINGING: u32 = 2;
export const CALL_STATE_ANSWERED: u32 = 3;
export const CALL_STATE_ENDING: u32 = 4; // the switch has sent BYE and waits for the answers
export const CALL_STATE_ENDED: u32 = 5;

/** Who ended a call. */
export const ENDED_BY_NONE: u32 = 0;
export const ENDED_BY_CALLER: u32 = 1;
export const ENDED_BY_CALLEE: u32 = 2;
export const ENDED_BY_OPERATOR: u32 = 3;
export const ENDED_BY_MEDIA_TIMEOUT: u32 = 4;
export const ENDED_BY_SWITCH: u32 = 5;

// --- call record (payload of EF_CALL, and in answers to QUERY_CALL(S)) ---------------------------
export const CR_STARTED: u32 = 0; // f64 µs
export const CR_RINGING: u32 = 8; // f64 µs, 0 = not yet
export const CR_ANSWERED: u32 = 16; // f64 µs, 0 = not yet
export const CR_ENDED: u32 = 24; // f64 µs, 0 = not yet
export const CR_SLOT: u32 = 32; // u32
export const CR_GENERATION: u32 = 36; // u32
export const CR_STATE: u32 = 40; // u8 CALL_STATE_*
export const CR_ENDED_BY: u32 = 41; // u8 ENDED_BY_*
export const CR_CALLER_TRANSPORT: u32 = 42; // u8
export const CR_CALLEE_TRANSPORT: u32 = 43; // u8
export const CR_CAUSE: u32 = 44; // u16: final SIP status (200 = answered), 0 = not yet
export const CR_FLAGS: u32 = 46; // u16: CRF_*
export const CR_BREACHES: u32 = 48; // u8 each: measurements above the budget of queue, core, media, setup; 255 = that many or more
export const CR_MEDIA_LAST_US: u32 = 52; // f32: media set-up of the last offer or answer, µs
export const CR_MEDIA_MAX_US: u32 = 56; // f32: the longest of the call, µs
export const CR_SETUP_US: u32 = 60; // f32: INVITE in to first INVITE out, µs
export const CR_QUEUE_LAST_US: u32 = 64; // f32: how long the last message of the call waited in socket and ring, µs
export const CR_QUEUE_MAX_US: u32 = 68; // f32: the longest of the call
export const CR_CORE_LAST_US: u32 = 72; // f32: what the core took for the last but one (mean of its batch), µs
export const CR_CORE_MAX_US: u32 = 76; // f32: the longest of the call
export const CR_STRINGS: u32 = 80; // u16 length and bytes each: Call-ID, from (URI), to (URI), trunk or ""
export const CRF_ANCHORED: u32 = 1;

// --- binding record (in answers to QUERY_BINDINGS) ----------------------------------------------
export const BR_EXPIRES: u32 = 0; // f64 µs
export const BR_TRANSPORT: u32 = 8; // u8
export const BR_FLAGS: u32 = 9; // u8
export const BR_Q: u32 = 10; // u16, thousandths
export const BR_PORT: u32 = 12; // u16
export const BR_REG_ID: u32 = 14; // u16
export const BR_FLOW: u32 = 16; // u32
export const BR_RESERVED: u32 = 20; // u32
export const BR_ADDRESS: u32 = 24; // 16 bytes
export const BR_STRINGS: u32 = 40; // u16 length and bytes each: user, Contact URI, instance-id, Path, User-Agent

// --- mirror records (payload of EF_MIRROR and EF_JOURNAL), each padded to 8 bytes --------------------
export const MR_TYPE: u32 = 0; // u8 MRT_*
export const MR_VERSION: u32 = 1; // u8: of the type's body
export const MR_FLAGS: u32 = 2; // u16: MRF_*, and bit 8 + n: block n of the record follows
export const MR_LENGTH: u32 = 4; // u32: of the whole record
export const MR_SLOT: u32 = 8; // u32
export const MR_GENERATION: u32 = 12; // u32
export const MR_BODY: u32 = 16;
export const MRT_CALL: u32 = 1;
export const MRT_TRANSACTION: u32 = 2;
export const MRT_BINDING: u32 = 3;
/** All has been sent once. Body: u32 slots in use of calls, transactions, bindings; what lies beyond is no longer. */
export const MRT_END: u32 = 4;
/** The record is no longer, nor any of its slot before that generation. */
export const MRF_GONE: u32 = 1;
export const MR_BODY_VERSION: u32 = 1;

// --- log codes ----------------------------------------------------------------------------------
export const LOG_MALFORMED: u32 = 1;
export const LOG_REJECTED: u32 = 2;
export const LOG_AUTH_FAILED: u32 = 3;
export const LOG_TABLE_FULL: u32 = 4;
export const LOG_MEDIA_FAILED: u32 = 5;
export const LOG_REGISTERED: u32 = 6;
export const LOG_UNREGISTERED: u32 = 7;
export const LOG_LIMITED: u32 = 8;
export const LOG_OFFER_FAILED: u32 = 9;

// --- counters: an array of f64 at `countersPtr()` -------------------------------------------------
export const C_CALLS_ACTIVE: u32 = 0; // gauge: invited, ringing, answered, ending
export const C_CALLS_INVITED: u32 = 1; // gauge
export const C_CALLS_RINGING: u32 = 2; // gauge
export const C_CALLS_ANSWERED: u32 = 3; // gauge
export const C_CALLS_ENDING: u32 = 4; // gauge
export const C_BINDINGS: u32 = 5; // gauge
export const C_AORS: u32 = 6; // gauge
export const C_TRANSACTIONS: u32 = 7; // gauge: INVITE contexts
export const C_BRANCHES: u32 = 8; // gauge
export const C_PENDING: u32 = 9; // gauge: messages waiting for media
export const C_BLOCKS_USED: u32 = 10; // gauge: pool blocks
export const C_TIMERS: u32 = 11; // gauge
export const C_CALLS_TOTAL: u32 = 12;
export const C_MALFORMED: u32 = 13;
export const C_DROPPED: u32 = 14; // responses and ACKs that match nothing
export const C_RETRANSMITS_IN: u32 = 15; // absorbed
export const C_RETRANSMITS_OUT: u32 = 16;
export const C_AUTH_CHALLENGED: u32 = 17;
export const C_AUTH_FAILED: u32 = 18;
export const C_AUTH_OK: u32 = 19;
export const C_TABLE_FULL: u32 = 20;
export const C_MEDIA_REQUESTS: u32 = 21;
export const C_MEDIA_FAILED: u32 = 22;
export const C_LOOPS: u32 = 23;
export const C_COOKIE_BAD: u32 = 24;
export const C_CALLS_ANSWERED_TOTAL: u32 = 25;
export const C_ADMIT_LIMIT: u32 = 26; // gauge: INVITEs and REGISTERs per second let in while overloaded, 0 = no limit
export const C_OVERLOAD_INTERVALS: u32 = 27; // intervals of 100 ms in which messages waited too long
export const C_SHED: u32 = 28; // new INVITEs and REGISTERs refused because of overload
export const C_SHED_SILENT: u32 = 29; // refused requests that got no answer
export const C_LIMITED_SOURCE: u32 = 30; // refused because their source sends too many
export const C_LIMITED_USER: u32 = 31; // refused because their user sends too many
export const C_REQUESTS_IN: u32 = 32; // + method * 8 + transport
export const C_RESPONSES_IN: u32 = 160; // + class (1..6) * 8 + transport
export const C_REQUESTS_OUT: u32 = 224; // + method * 8 + transport
export const C_RESPONSES_OUT: u32 = 352; // + class (1..6) * 8 + transport
export const C_FINAL: u32 = 416; // + status - 200 (200..699): final codes of initial INVITEs
export const C_REGISTER_FINAL: u32 = 920; // + class (2..6): REGISTER answers
export const C_MIRROR_FRAMES: u32 = 928; // sent, or applied
export const C_MIRROR_RECORDS: u32 = 929;
export const C_MIRROR_BYTES: u32 = 930;
export const C_MIRROR_UNACKED: u32 = 931; // gauge: frames
export const C_MIRROR_DIRTY: u32 = 932; // gauge: records to be sent
export const C_MIRROR_HELD: u32 = 933; // answers that waited for an acknowledgement
export const C_UNMIRRORED: u32 = 934; // answers sent without one
export const C_MIRROR_SYNCED: u32 = 935; // gauge: 1 when the standby has everything
export const C_MIRROR_LOST: u32 = 936; // records that did not fit: too large for a frame, or into the standby's tables
export const C_ROLE: u32 = 937; // gauge: ROLE_*
export const C_EPOCH: u32 = 938; // gauge
export const C_MIRROR_ACK_US: u32 = 939; // gauge: time from the last acknowledged frame to its acknowledgement
export const C_MIRROR_WHOLE: u32 = 940; // gauge: 1 when a standby has once had everything
export const C_OFFERS_OK: u32 = 941; // INVITEs of our own that were answered with 2xx
export const C_OFFERS_AGAIN: u32 = 942; // answered with 491 or 500, and tried again
export const C_OFFERS_FAILED: u32 = 943; // refused otherwise, or not answered in time
export const C_COUNT: u32 = 944;

// --- init block: u32 each, written by the host at `initPtr()` before `init()` -----------------------
export const I_CALLS_MAX: u32 = 0;
export const I_TRANSACTIONS_MAX: u32 = 4;
export const I_BRANCHES_MAX: u32 = 8;
export const I_BINDINGS_MAX: u32 = 12;
export const I_AORS_MAX: u32 = 16;
export const I_PENDING_MAX: u32 = 20;
export const I_BLOCKS_256: u32 = 24; // pool blocks of 256 bytes, and so on
export const I_BLOCKS_1K: u32 = 28;
export const I_BLOCKS_4K: u32 = 32;
export const I_BLOCKS_64K: u32 = 36;
export const I_BANK_BYTES: u32 = 40; // size of each of the two banks
export const I_FORK_MAX: u32 = 44; // most branches of one INVITE, 1..16
export const I_ANCHOR: u32 = 48; // 1: media through the media service
export const I_T1_MS: u32 = 52;
export const I_T2_MS: u32 = 56;
export const I_T4_MS: u32 = 60;
export const I_TIMER_C_MS: u32 = 64;
export const I_EXPIRES_MIN_S: u32 = 68;
export const I_EXPIRES_MAX_S: u32 = 72;
export const I_EXPIRES_DEFAULT_S: u32 = 76;
export const I_NONCE_TTL_S: u32 = 80;
export const I_MEDIA_WAIT_MS: u32 = 84; // longest wait for a media reply
export const I_CONTACTS_PER_AOR_MAX: u32 = 88;
export const I_CALL_EVENTS: u32 = 92; // bit n: EF_CALL for CALL_STATE_n
export const I_RETRY_AFTER_S: u32 = 96;
export const I_CALL_DURATION_MAX_S: u32 = 100; // 0 = no limit
export const I_SECRET: u32 = 104; // 16 bytes: key of cookies and nonces
export const I_LISTENERS: u32 = 120; // u32: number of listeners that follow
/** Listener records: u8 transport, u8 length of host text, u16 port, 60 bytes of host text as written into Via and Record-Route. */
export const I_LISTENER_0: u32 = 128;
export const LISTENER_BYTES: u32 = 64;
export const LISTENERS_MAX: u32 = 16;
/** Budgets of the stages, µs: what is above counts as a breach on the call. */
export const I_BUDGET_QUEUE_US: u32 = 1152;
export const I_BUDGET_CORE_US: u32 = 1156;
export const I_BUDGET_MEDIA_US: u32 = 1160;
export const I_BUDGET_SETUP_US: u32 = 1164;
export const I_BUDGET_SETUP_MEDIA_US: u32 = 1168;
/** Overload: shortest wait of a message in 100 ms that says there is a queue, µs; 0 = never refuse for overload. */
export const I_OVERLOAD_TARGET_US: u32 = 1172;
/** Requests outside of dialogs per second and at once, by source address and by user; 0 per second = no limit. */
export const I_SOURCE_PER_S: u32 = 1176;
export const I_SOURCE_BURST: u32 = 1180;
export const I_USER_PER_S: u32 = 1184;
export const I_USER_BURST: u32 = 1188;
/** Sources (and users) whose rate is followed at a time: 2 to this power. */
export const I_BUCKET_BITS: u32 = 1192;
/** Emergency numbers: u8 length and digits each. */
export const I_EMERGENCY_0: u32 = 1200;
export const EMERGENCY_BYTES: u32 = 16;
export const EMERGENCY_MAX: u32 = 16;
/** ROLE_*. */
export const I_ROLE: u32 = 1456;
/** Longest wait of a 2xx to an INVITE for the standby's acknowledgement, ms. */
export const I_MIRROR_WAIT_MS: u32 = 1460;
/** 1: EF_JOURNAL. */
export const I_JOURNAL: u32 = 1464;
export const INIT_BYTES: u32 = 1472;
