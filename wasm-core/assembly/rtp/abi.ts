/**
 * The binary interface of the RTP edge: the one place where its numbers are written. Like ../abi.ts, it is both
 * AssemblyScript and plain TypeScript, so it holds nothing but numeric constants.
 *
 * Datagrams enter in receive slots: a frame header of ../abi.ts (F_LENGTH, F_PORT, F_ADDRESS, and in F_FLOW the token
 * of the socket) and the payload. Datagrams to send leave as a list of OUT_* records that point into the memory; they
 * are valid until the next step. Numbers are little-endian, times f64 µs since the Unix epoch, addresses
 * 16 bytes with IPv4 mapped.
 */

export const EDGE_ABI_VERSION: u32 = 2;

// --- receive slots ----------------------------------------------------------------------------
/** Datagrams that one `step` can take. */
export const EDGE_SLOTS: u32 = 64;
/** Largest datagram: more than any path of 1,500 bytes carries. Larger ones are dropped. */
export const EDGE_PAYLOAD_BYTES: u32 = 2048;
/** Header and payload: an odd number of cache lines, so that slots do not share cache sets. */
export const EDGE_SLOT_BYTES: u32 = 64 + 2048;

// --- tokens: which socket a datagram came by, or is to leave by ----------------------------------
/** A leg's RTP socket is `slot << 1`, its RTCP socket `slot << 1 | TOKEN_RTCP`. */
export const TOKEN_RTCP: u32 = 1;
/** The socket towards mediasoup. */
export const TOKEN_MEDIASOUP: u32 = 0xffffffff;

// --- datagrams to send ----------------------------------------------------------------------------
export const OUT_TOKEN: u32 = 0; // u32
export const OUT_PTR: u32 = 4; // u32
export const OUT_LENGTH: u32 = 8; // u32
export const OUT_ADDRESS: u32 = 12; // u32: where the 16 bytes are
export const OUT_PORT: u32 = 16; // u32
export const OUT_BYTES: u32 = 32;
/** Legs that send their RTCP reports in one step, each to both sides. */
export const REPORTS_PER_STEP_MAX: u32 = 16;
export const OUT_MAX: u32 = 64 + 2 * 16;

// --- allocation block, written at `blockPtr()` before `legAllocate` --------------------------------
export const ALLOC_SSRC: u32 = 0; // u32: SSRC of everything sent to the phone; random
export const ALLOC_SEQUENCE_OUT: u32 = 4; // u32: first sequence number to the phone is one more; random
export const ALLOC_TIMESTAMP_OUT: u32 = 8; // u32: first timestamp to the phone; random
export const ALLOC_SEQUENCE_IN: u32 = 12; // u32: the same towards mediasoup
export const ALLOC_TIMESTAMP_IN: u32 = 16; // u32
export const ALLOC_CNAME: u32 = 32; // 16 ASCII characters: CNAME in SDES (RFC 7022)
export const ALLOC_BYTES: u32 = 48;
export const CNAME_BYTES: u32 = 16;

// --- configuration block, written at `blockPtr()` before `legConfigure` ----------------------------
export const CFG_FLAGS: u32 = 0; // u32: CFGF_*
export const CFG_IN_SSRC: u32 = 4; // u32: SSRC of everything sent to mediasoup
export const CFG_WINDOW_MS: u32 = 8; // u32
export const CFG_REMOTE_RTP: u32 = 12; // u16
export const CFG_REMOTE_RTCP: u32 = 14; // u16
export const CFG_REMOTE: u32 = 16; // 16 bytes
export const CFG_MEDIASOUP: u32 = 32; // 16 bytes
export const CFG_MEDIASOUP_PORT: u32 = 48; // u16
export const CFG_VOUCHED_COUNT: u32 = 50; // u16
/** u32: slot + 1 of the leg that hears this one inside the edge, 0 = none. It must name this one too. */
export const CFG_PEER: u32 = 52;
export const CFG_VOUCHED: u32 = 64; // 16 bytes each
export const VOUCHED_MAX: u32 = 8;
/** u8 by payload type of the phone: that of the Router, or PT_NONE. */
export const CFG_IN_PT: u32 = 192;
/** u8 by payload type of the Router: that of the phone, or PT_NONE. */
export const CFG_OUT_PT: u32 = 320;
/** u32 by payload type of the phone: clock rate, Hz; 0 = unknown, no jitter is measured. */
export const CFG_CLOCK: u32 = 448;
export const CFG_BYTES: u32 = 960;
export const PT_NONE: u32 = 255;

export const CFGF_SEND: u32 = 1;
export const CFGF_RECEIVE: u32 = 2;
export const CFGF_RTCP_MUX: u32 = 4;
export const CFGF_REMOTE: u32 = 8;
export const CFGF_MEDIASOUP: u32 = 16;

/**
 * Silence of the latched source, or of a leg that was never latched, after which a vouched source may latch although
 * the window is closed: long enough that nobody takes over a stream that flows, short enough for a phone that
 * begins to speak late or whose NAT has forgotten it.
 */
export const RELATCH_SILENCE_MS: u32 = 5000;

// --- statistics of a leg, written by `legStats` to `blockPtr()` ------------------------------------
export const S_SLOT: u32 = 0; // u32
export const S_LATCHED: u32 = 4; // u32: 1 = port and address are valid
export const S_PORT: u32 = 8; // u32
export const S_ADDRESS: u32 = 16; // 16 bytes
export const S_PACKETS_IN: u32 = 32; // f64: RTP from the phone that was accepted
export const S_BYTES_IN: u32 = 40; // f64: of whole datagrams
export const S_PACKETS_OUT: u32 = 48; // f64: RTP sent to the phone
export const S_BYTES_OUT: u32 = 56; // f64
export const S_LOST: u32 = 64; // f64, may be below 0 (duplicates)
export const S_EXPECTED: u32 = 72; // f64
export const S_JITTER_MS: u32 = 80; // f64
export const S_RTT_MS: u32 = 88; // f64, -1 = unknown
export const S_IDLE_MS: u32 = 96; // f64: since the last accepted RTP, -1 = none yet
export const S_FAR_LOSS_PCT: u32 = 104; // f64: what the phone reports of our packets, -1 = nothing
export const S_FAR_JITTER_MS: u32 = 112; // f64, -1 = nothing
export const S_BYTES: u32 = 128;

// --- counters: an array of f64 at `countersPtr()` -------------------------------------------------
export const K_PACKETS_IN: u32 = 0; // RTP accepted from phones
export const K_PACKETS_OUT: u32 = 1; // RTP sent to phones
export const K_RTCP_IN: u32 = 2; // RTCP datagrams accepted, of phones and mediasoup
export const K_RTCP_OUT: u32 = 3;
export const K_LATCHES: u32 = 4; // sources latched
/** From here on, dropped datagrams by cause. */
export const K_NOT_LATCHED: u32 = 5; // no source latched, and this one may not be
export const K_WRONG_SOURCE: u32 = 6; // another source than the latched one
export const K_BAD_PACKET: u32 = 7; // neither valid RTP nor valid RTCP
export const K_UNKNOWN_PT: u32 = 8; // payload type that was not negotiated
export const K_NO_LEG: u32 = 9; // no leg has this socket or mediasoup port
export const K_HELD: u32 = 10; // direction switched off
export const K_NO_PATH: u32 = 11; // other side of the leg not known (yet)
export const K_BAD_SEQUENCE: u32 = 12; // first packet after a jump in sequence numbers (RFC 3550 A.1)
export const K_COUNT: u32 = 13;
