/** Phones and mediasoup for bench-edge.ts, by batched UDP, on one thread. */
import { BatchReceiver, BatchSender, EpollEvents, openSyscalls } from '../../../switch/realtime/udp.ts';
import { parseAddress } from '../../../wasm-core/host/address.ts';
import { rtpPacket } from '../../../wasm-core/test/rtp/packets.ts';

const SLOTS = 64;
const STRIDE = 64 + 512;
const SLOT_PTR = 65_536;
const OUT_PTR = 32_768;
const ADDRESS_PTR = 49_152;
const PACKET_MS = 20;
const PAYLOAD_AT = 12;

const sys = openSyscalls();
const memory = new WebAssembly.Memory({ initial: 8, maximum: 8 });
const bytes = Buffer.from(memory.buffer);
bytes.set(parseAddress('127.0.0.1')!, ADDRESS_PTR);
const layout = { vectorPtr: 0, vectorBytes: 16_384, slotPtr: SLOT_PTR, slotStride: STRIDE };
const receiver = new BatchReceiver(sys, memory, {
  ...layout,
  headerBytes: 64,
  payloadBytes: 512,
  slots: SLOTS,
});
const sender = new BatchSender(sys, memory, { vectorPtr: 16_384, vectorBytes: 16_384 });
const epoll = sys.epollCreate();
const events = new EpollEvents(SLOTS);
const phones: number[] = [];
const routers: number[] = [];

function open(legs: number): void {
  for (let i = 0; i < legs; i++) {
    phones.push(sys.openUdp('127.0.0.1', 0));
    routers.push(sys.openUdp('127.0.0.1', 0));
    sys.epollAdd(epoll, phones[i]!, i);
    sys.epollAdd(epoll, routers[i]!, 0x10000 + i);
  }
  const portOf = (fd: number) => sys.localPort(fd);
  process.send!({ phones: phones.map(portOf), routers: routers.map(portOf) });
}

/** Returns what came to mediasoup's side as from a consumer; measures what came to a phone. */
function serve(edgePort: number, times: number[]): void {
  const ready = sys.epollWait(epoll, events, 1);
  for (let i = 0; i < ready; i++) {
    const token = events.token(i);
    const phone = token < 0x10000;
    const fd = phone ? phones[token]! : routers[token - 0x10000]!;
    const count = receiver.receive(fd, 0, SLOTS);
    for (let slot = 0; slot < count; slot++) {
      const at = SLOT_PTR + slot * STRIDE;
      const packet = at + 64;
      if (bytes.readUInt32LE(at + 4) !== 172) continue; // RTCP
      if (phone) times.push((performance.now() - bytes.readDoubleLE(packet + PAYLOAD_AT)) * 1_000);
      else {
        bytes.writeUInt32BE(0xb0000000 + token, packet + 8);
        sender.add(packet, 172, ADDRESS_PTR, edgePort);
      }
    }
    if (!phone) sender.flush(fd);
  }
}

function run(ports: number[], edgePort: number, durationMs: number): void {
  const times: number[] = [];
  const start = performance.now();
  const interval = PACKET_MS / ports.length;
  let sent = 0;
  for (let now = start; now - start < durationMs + 200; now = performance.now()) {
    const due = Math.floor(Math.min(now - start, durationMs) / interval);
    for (; sent < due; sent++) sendOne(ports, sent);
    serve(edgePort, times);
  }
  const measured = times.slice(times.length / 5).sort((a, b) => a - b);
  const at = (part: number) => Math.round(measured[Math.floor(measured.length * part)] ?? 0);
  process.send!({ sent, returned: times.length, p50: at(0.5), p99: at(0.99) });
}

function sendOne(ports: number[], n: number): void {
  const leg = n % ports.length;
  const round = Math.floor(n / ports.length);
  const packet = rtpPacket({ payloadType: 0, sequence: round, timestamp: 160 * round, ssrc: leg + 1 });
  packet.writeDoubleLE(performance.now(), PAYLOAD_AT);
  bytes.set(packet, OUT_PTR);
  sender.add(OUT_PTR, packet.length, ADDRESS_PTR, ports[leg]!);
  sender.flush(phones[leg]!);
}

process.on(
  'message',
  (message: { legs: number } & { ports: number[]; edgePort: number; durationMs: number }) => {
    if (message.ports === undefined) open(message.legs);
    else run(message.ports, message.edgePort, message.durationMs);
  },
);
