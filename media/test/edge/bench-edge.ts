/**
 * CPU of the edge per packet, next to nothing else: phones and mediasoup are a process of their own.
 *
 *   node --disable-warning=ExperimentalWarning media/test/edge/bench-edge.ts [legs=50] [seconds=10]
 *
 * Each leg sends 50 packets of 172 bytes a second; the other process returns them as mediasoup would, so that each
 * passes the edge twice. Prints CPU per packet passed (the whole process: edge thread and idle main thread),
 * and how long a packet took there and back.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Edge } from '../../edge/edge.ts';

const legs = Number(process.argv[2] ?? 50);
const seconds = Number(process.argv[3] ?? 10);
const PORT_MIN = 21_000;
/** Before the measurement: start-up and compilation. */
const WARM_UP_MS = 2_000;

const load = fork(new URL('./bench-load.ts', import.meta.url), { execArgv: process.execArgv });
const edge = await Edge.start({
  address: '127.0.0.1',
  portMin: PORT_MIN,
  portMax: PORT_MIN + 2 * legs - 1,
  legsMax: legs,
  onEvent: (event) => {
    throw new Error(event.message);
  },
});
const ports: number[] = [];
const opened = once(load, 'message') as Promise<[{ phones: number[]; routers: number[] }]>;
load.send({ legs });
const [{ phones, routers }] = await opened;
for (let i = 0; i < legs; i++) {
  const leg = await edge.allocate();
  ports.push(leg.rtpPort);
  await leg.configure({
    vouched: ['127.0.0.1'],
    remote: { address: '127.0.0.1', rtpPort: phones[i]!, rtcpPort: phones[i]!, rtcpMux: true },
    inSsrc: 1_000 + i,
    inPts: [[0, 100]],
    outPts: [[100, 0]],
    clockRates: [[0, 8_000]],
    mediasoup: { ip: '127.0.0.1', port: routers[i]! },
    peer: null,
    latchWindowMs: 5_000,
    sendEnabled: true,
    receiveEnabled: true,
  });
}
const done = once(load, 'message') as Promise<[{ sent: number; returned: number; p50: number; p99: number }]>;
load.send({ ports, edgePort: edge.mediasoupSide.port, durationMs: WARM_UP_MS + seconds * 1_000 });
await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
const [cpu, before] = [process.cpuUsage(), await edge.totals()];
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
const [used, after] = [process.cpuUsage(cpu), await edge.totals()];
const packets = after.packetsIn + after.packetsOut - before.packetsIn - before.packetsOut;
const [{ sent, returned, p50, p99 }] = await done;
console.log(`legs ${legs}, packets passed ${packets} in ${seconds} s (${Math.round(packets / seconds)}/s)`);
console.log(
  `CPU ${((used.user + used.system) / packets).toFixed(2)} µs per packet ` +
    `(user ${(used.user / packets).toFixed(2)}, system ${(used.system / packets).toFixed(2)})`,
);
console.log(`sent ${sent}, came back ${returned}; there and back p50 ${p50} µs, p99 ${p99} µs`);
console.log('dropped', after.dropped);
await edge.close();
load.disconnect();
