/**
 * Commands to the edge thread and its answers, as records on two rings (switch/realtime/ring.ts): seven u32 and
 * a payload. Each command is answered once, in order, with its request id.
 */
import * as abi from '../../wasm-core/assembly/rtp/abi.ts';

export const OP_ALLOCATE = 1; // slot, fds; payload = allocation block
export const OP_CONFIGURE = 2; // slot; payload = configuration block
export const OP_FREE = 3; // slot; the fds may be closed after the answer
export const OP_STATS = 4; // payload = slots, u32 each; answer: S_* records of those that exist
export const OP_COUNTERS = 5; // answer: K_* counters, then HOST_* counters, f64 each

/** Words of a record, by index. */
export const WORD_OP = 0;
export const WORD_REQUEST = 1;
export const WORD_SLOT = 2;
/** In a command the RTP socket, in an answer 1 = done, 0 = refused. */
export const WORD_RTP_FD = 3;
export const WORD_STATUS = 3;
export const WORD_RTCP_FD = 4;
/** Bytes of payload. */
export const WORD_LENGTH = 5;
export const HEAD_BYTES = 32;

/** Legs whose statistics one command may ask for. */
export const STATS_MAX = 128;
export const RECORD_BYTES_MAX = HEAD_BYTES + STATS_MAX * abi.S_BYTES;

/** Counters of the thread itself, after those of the packet core. */
export const HOST_TRUNCATED = 0; // datagrams larger than a slot
export const HOST_SEND_FAILED = 1; // datagrams that the system refused to send
export const HOST_COUNT = 2;

/** What the thread is started with. */
export interface EdgeThreadData {
  wasm: Uint8Array;
  legsMax: number;
  mediasoupFd: number;
  batchBudgetUs: number;
  commands: SharedArrayBuffer;
  answers: SharedArrayBuffer;
  waker: SharedArrayBuffer;
  eventFd: number;
}
