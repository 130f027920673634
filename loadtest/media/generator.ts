/**
 * The phones, a process of their own: each leg sends 50 packets of 172 bytes a second on a fixed schedule (open loop),
 * the legs evenly spread over the 20 ms. Every packet carries when it was sent; when it arrived is the kernel's stamp,
 * so how late this process reads it does not count. Commands come and results go by IPC (load.ts).
 */
import { parseAddress } from '../../wasm-core/host/address.ts';
import {
  BatchReceiver,
  BatchSender,
  EpollEvents,
  openSyscalls,
  VECTOR_ENTRY_BYTES,
} from '../../switch/realtime/udp.ts';
import type { LoadCommand, LoadResult } from './load.ts';
import { SrtpReader } from './srtp.ts';

const PACKET_BYTES = 172;
const PACKET_MS = 20;
/** Of a packet: RTP header, when it was sent (f64, µs since the epoch), and by which leg. */
const RTP_HEADER_BYTES = 12;
const SENT_AT = 16;
const LEG_AT = 24;
const SLOTS = 64;
const HEADER_BYTES = 64;
const STRIDE = HEADER_BYTES + 512;
/** Of a slot's header (switch/realtime/udp.ts). */
const LENGTH = 4;
const TIME = 32;
const CONTROL_BYTES = 64;
const SEND_VECTOR = 16_384;
const OUT = 32_768;
const ADDRESS = 33_280;
const SLOT_PTR = 36_864;
const PAGES = 2;
const LEG_BUFFER_BYTES = 1 << 20;
/** How often what has come is taken: seldom, as stamps tell when it came. */
const TAKE_MS = 2;
/** Longest wait for what is still on its way at the end. */
const DRAIN_MS = 300;
const LOOPBACK = '127.0.0.1';

const sys = openSyscalls();
sys.exactTimers();
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
const bytes = Buffer.from(memory.buffer);
bytes.set(parseAddress(LOOPBACK)!, ADDRESS);
const receiver = new BatchReceiver(sys, memory, {
  vectorPtr: 0,
  vectorBytes: SLOTS * (VECTOR_ENTRY_BYTES + CONTROL_BYTES),
  slotPtr: SLOT_PTR,
  slotStride: STRIDE,
  headerBytes: HEADER_BYTES,
  payloadBytes: STRIDE - HEADER_BYTES,
  slots: SLOTS,
  stamps: true,
});
const sender = new BatchSender(sys, memory, { vectorPtr: SEND_VECTOR, vectorBytes: OUT - SEND_VECTOR });
const epoll = sys.epollCreate();
const events = new EpollEvents(SLOTS);
const fds: number[] = [];

function open(ports: readonly number[]): void {
  for (const [i, port] of ports.entries()) {
    const fd = sys.openUdp(LOOPBACK, port, LEG_BUFFER_BYTES);
    sys.stampArrivals(fd);
    sys.epollAdd(epoll, fd, i);
    fds.push(fd);
  }
  process.send!({ ports: fds.map((fd) => sys.localPort(fd)) });
}

/** One run: the packets that are sent between `fromUs` and `toUs` are those that count. */
class Run {
  readonly #targets: readonly number[];
  /** Of legs that are sent SRTP. */
  readonly #readers: readonly (SrtpReader | null)[];
  readonly #round: number;
  readonly #delays: Float32Array;
  readonly #fromUs: number;
  readonly #toUs: number;
  sent = 0;
  received = 0;
  strays = 0;
  #lateUs = 0;

  constructor({ targets, keys, fromMs, toMs }: Extract<LoadCommand, { op: 'run' }>, round: number) {
    this.#targets = targets;
    this.#readers = targets.map((_, leg) => (keys?.[leg] ? new SrtpReader(keys[leg]) : null));
    this.#round = round;
    this.#fromUs = fromMs * 1_000;
    this.#toUs = toMs * 1_000;
    this.#delays = new Float32Array(targets.length * Math.ceil((toMs - fromMs) / PACKET_MS + 1));
    this.#loop();
    this.#drain();
  }

  /** On a fixed schedule from now on, whatever becomes of the packets. */
  #loop(): void {
    const startUs = sys.realtimeUs();
    const intervalUs = (PACKET_MS * 1_000) / this.#targets.length;
    let dueUs = startUs;
    let takeUs = startUs;
    for (let n = 0, nowUs = startUs; nowUs < this.#toUs; nowUs = sys.realtimeUs()) {
      for (; dueUs <= nowUs; dueUs = startUs + ++n * intervalUs) this.#send(n, dueUs);
      if (nowUs >= takeUs) {
        this.#take();
        takeUs = nowUs + TAKE_MS * 1_000;
      }
      const waitUs = dueUs - sys.realtimeUs();
      if (waitUs > 0) sys.sleep(waitUs);
    }
  }

  #drain(): void {
    const endMs = performance.now() + DRAIN_MS;
    while (this.received < this.sent && performance.now() < endMs) {
      this.#take();
      sys.sleep(1_000);
    }
  }

  /** Packet `n` of all legs. */
  #send(n: number, dueUs: number): void {
    const leg = n % this.#targets.length;
    if (this.#targets[leg] === 0) return;
    const index = Math.floor(n / this.#targets.length);
    bytes[OUT] = 0x80;
    bytes[OUT + 1] = 0;
    bytes.writeUInt16BE((this.#round * 20_000 + index) & 0xffff, OUT + 2);
    bytes.writeUInt32BE((index * 160) >>> 0, OUT + 4);
    bytes.writeUInt32BE(this.#round * 0x10000 + leg + 1, OUT + 8);
    bytes.writeUInt32LE(leg, OUT + LEG_AT);
    sender.add(OUT, PACKET_BYTES, ADDRESS, this.#targets[leg]!);
    const nowUs = sys.realtimeUs();
    bytes.writeDoubleLE(nowUs, OUT + SENT_AT);
    sender.flush(fds[leg]!);
    if (!this.#counts(nowUs)) return;
    this.sent++;
    this.#lateUs = Math.max(this.#lateUs, nowUs - dueUs);
  }

  #counts(sentUs: number): boolean {
    return sentUs >= this.#fromUs && sentUs < this.#toUs;
  }

  /** Takes all that has come. */
  #take(): void {
    for (;;) {
      const ready = sys.epollWait(epoll, events, 0);
      for (let i = 0; i < ready; i++) this.#takeLeg(events.token(i));
      if (ready < SLOTS) return;
    }
  }

  #takeLeg(leg: number): void {
    const count = receiver.receive(fds[leg]!, 0, SLOTS);
    for (let slot = 0; slot < count; slot++) {
      const header = SLOT_PTR + slot * STRIDE;
      const length = bytes.readUInt32LE(header + LENGTH);
      const start = header + HEADER_BYTES;
      if (length < PACKET_BYTES) continue; // RTCP, or the end of ICE
      const packet = bytes.subarray(start, start + length);
      const payload = this.#readers[leg]?.payload(packet) ?? packet.subarray(RTP_HEADER_BYTES);
      const sentUs = payload.readDoubleLE(SENT_AT - RTP_HEADER_BYTES);
      // What a party hears is what the other party of its call says.
      if (payload.readUInt32LE(LEG_AT - RTP_HEADER_BYTES) !== (leg ^ 1)) this.strays++;
      else if (this.#counts(sentUs))
        this.#delays[this.received++] = bytes.readDoubleLE(header + TIME) - sentUs;
    }
  }

  get result(): LoadResult {
    const { sent, received, strays } = this;
    return { sent, received, strays, lateUsMax: this.#lateUs, delaysUs: this.#delays.slice(0, received) };
  }
}

let rounds = 0;
process.on('message', (command: LoadCommand) => {
  if (command.op === 'open') open(command.ports);
  else process.send!(new Run(command, ++rounds).result);
});
process.on('disconnect', () => process.exit(0));
