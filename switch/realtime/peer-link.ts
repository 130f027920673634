/**
 * The stream to the peer, as the realtime thread uses it: frames of the core's mirror go out as they lie in its memory, and come in
 * into its receive slots. The control thread has nothing to do with them.
 */
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { Core } from '../../wasm-core/host/core.ts';
import { LINK_BEAT, LINK_END_CLOSED, LINK_END_GARBAGE, LINK_END_STUCK } from './link-frames.ts';
import type { Syscalls } from './syscalls.ts';

/** Room for some frames: the largest is 64 KiB. */
const INCOMING_BYTES = 256 << 10;
/** The core keeps at most 1 MiB unacknowledged; more than this waits only if the peer does not read. */
const UNSENT_BYTES_MAX = 4 << 20;

export class PeerLink {
  readonly #sys: Syscalls;
  /** Where frames go. */
  core: Core;
  /** A beat of the peer; valid during the call. */
  readonly #beat: (frame: Uint8Array) => void;
  readonly #incoming = new Uint8Array(INCOMING_BYTES);
  readonly #view = new DataView(this.#incoming.buffer);
  #from = 0;
  #to = 0;
  /** What the socket did not take. */
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  /** -1 while there is none. */
  fd = -1;
  /** Why it has to be closed; -1: it has not. */
  end = -1;
  /** With LINK_END_FAILED: MIRROR_FAIL_*. */
  detail = 0;

  constructor(sys: Syscalls, core: Core, beat: (frame: Uint8Array) => void) {
    this.#sys = sys;
    this.core = core;
    this.#beat = beat;
  }

  /** Takes the descriptor over. `ahead`: bytes that were read from it before. */
  open(fd: number, ahead: Uint8Array): void {
    this.#sys.prepareStream(fd);
    this.fd = fd;
    this.end = -1;
    this.detail = 0;
    this.#incoming.set(ahead);
    this.#from = 0;
    this.#to = ahead.length;
    this.#unsent = [];
    this.#unsentBytes = 0;
  }

  close(): void {
    this.#sys.close(this.fd);
    this.fd = -1;
    this.end = -1;
  }

  /**
   * Puts frames that have come into the free slots from `first` on; returns the next free slot. Those that came before the end of the stream are as good as
   * others: while all slots are taken, there may be more.
   */
  receive(first: number): number {
    if (this.end < 0) this.#fill();
    let slot = first;
    while (
      (this.end < 0 || this.end === LINK_END_CLOSED) &&
      slot < abi.RX_SLOTS &&
      this.#to - this.#from >= abi.FRAME_HEADER_BYTES
    ) {
      const length = this.#view.getUint32(this.#from + abi.F_LENGTH, true);
      const kind = this.#incoming[this.#from + abi.F_KIND]!;
      const known = kind === abi.EV_MIRROR || kind === abi.EV_MIRROR_ACK || kind === LINK_BEAT;
      if (
        !known ||
        length > abi.MESSAGE_BYTES_MAX ||
        this.#incoming[this.#from + abi.F_VERSION] !== abi.ABI_VERSION
      ) {
        this.end = LINK_END_GARBAGE;
        break;
      }
      const size = (abi.FRAME_HEADER_BYTES + length + 7) & ~7;
      if (this.#to - this.#from < size) break;
      const frame = this.#incoming.subarray(this.#from, this.#from + size);
      if (kind === LINK_BEAT) this.#beat(frame);
      else this.core.writeSlot(slot++, frame);
      this.#from += size;
    }
    return slot;
  }

  #fill(): void {
    if (this.#from > 0) {
      this.#incoming.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    if (this.#to === INCOMING_BYTES) return;
    const came = this.#sys.streamReceive(this.fd, this.#incoming.subarray(this.#to));
    if (came > 0) this.#to += came;
    else if (came === 0 || !this.#sys.wouldWait()) this.end = LINK_END_CLOSED;
  }

  /** Sends bytes, or keeps them until the socket takes them. */
  send(bytes: Uint8Array): void {
    if (this.end >= 0) return;
    const sent = this.#unsent.length > 0 ? 0 : this.#try(bytes);
    if (sent === bytes.length) return;
    this.#unsent.push(bytes.slice(sent));
    this.#unsentBytes += bytes.length - sent;
    if (this.#unsentBytes > UNSENT_BYTES_MAX) this.end = LINK_END_STUCK;
  }

  /** Sends what waits. */
  flush(): void {
    while (this.#unsent.length > 0 && this.end < 0) {
      const first = this.#unsent[0]!;
      const sent = this.#try(first);
      this.#unsentBytes -= sent;
      if (sent < first.length) {
        this.#unsent[0] = first.subarray(sent);
        return;
      }
      this.#unsent.shift();
    }
  }

  /** Whether something waits for room in the socket. */
  get waits(): boolean {
    return this.#unsent.length > 0;
  }

  #try(bytes: Uint8Array): number {
    const sent = this.#sys.streamSend(this.fd, bytes);
    if (sent < 0 && !this.#sys.wouldWait()) this.end = LINK_END_CLOSED;
    return Math.max(0, sent);
  }
}
