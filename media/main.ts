/**
 * The media process: mediasoup workers, the RTP edge, and the socket on which nodes command them. It ends with its
 * parent, as media without a node to end its calls would stay for ever.
 */
import { fstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { CallTable } from './control/call-table.ts';
import { Offers } from './control/offers.ts';
import { Lease } from './control/lease.ts';
import { MediasoupEngine } from './control/mediasoup/engine.ts';
import { type MediaOptions, parseOptions, portPairs } from './control/options.ts';
import { MediaServer } from './control/server.ts';
import { MediaService } from './control/service.ts';
import { CallStore } from './control/store.ts';
import { lookEveryMs, SilenceWatch } from './control/silence.ts';
import { Edge } from './edge/edge.ts';
import { SPARE, turn } from '../switch/supervisor/spare.ts';

function readOptions(): MediaOptions {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

const options = readOptions();
const log = pino(
  { level: options.logLevel, base: { node: 'media' } },
  pino.destination({ dest: 2, sync: true }),
);

function fatal(error: Error, message: string): never {
  log.fatal({ err: error }, message);
  process.exit(1);
}

/** Beside the socket, in the folder of this run of the switch. Without it, calls die with the process. */
function openStore(): CallStore | null {
  let isTold = false;
  try {
    return new CallStore(join(dirname(options.socket), 'media-calls.sqlite'), !isAgain, (error) => {
      if (!isTold) log.error({ err: error }, 'calls can not be kept: they would not survive this process');
      isTold = true;
    });
  } catch (error) {
    log.error({ err: error }, 'calls are not kept: they would not survive this process');
    return null;
  }
}

/** The calls of the process before this one. */
async function restore(from: CallStore): Promise<void> {
  const sinceMs = performance.now();
  const restored = await Promise.allSettled(
    [...from.calls()].map(async ([name, state]) => {
      await calls.restore(name, state).catch((error: Error) => {
        log.error({ err: error, call: name }, 'a call could not be built again');
        throw error;
      });
    }),
  );
  const failed = restored.filter(({ status }) => status === 'rejected').length;
  const tookMs = Math.round(performance.now() - sinceMs);
  log.warn({ calls: restored.length - failed, failed, tookMs }, 'calls of the process before this one');
}

const portsMax = portPairs(options.portMin, options.portMax);
const { address, portMin, portMax } = options;
const edge = await Edge.start({
  address,
  portMin,
  portMax,
  legsMax: portsMax,
  batchBudgetUs: options.batchBudgetUs,
  onEvent: (event) => {
    if (event.type === 'failed') fatal(new Error(event.message), 'the RTP edge failed');
  },
}).catch((error: Error) => fatal(error, 'the RTP edge does not start'));
const isAgain = options.generation > 1;
const myTurn = turn();
const engine = new MediasoupEngine(options, edge, log, isAgain, myTurn);
if (process.env[SPARE] !== undefined)
  log.info({ generation: options.generation }, 'spare media process waits');
await myTurn;
const offers = new Offers((event) => server.emit(event));
const store = openStore();
const calls = new CallTable(engine, options.callsMax, offers, store);
const lease = new Lease(options);
const service = new MediaService(
  { calls, edge, workers: () => engine.pool.seats, portsMax, lease, offers },
  log,
);
const server = new MediaServer(service, log);

engine.pool.onReplaced = (replacement) => {
  log.warn(replacement, 'mediasoup worker replaced');
  server.emit({ event: 'workerReplaced', ...replacement });
};
engine.pool.onFailed = (error) => fatal(error, 'no mediasoup worker can be started');

if (options.timeoutS > 0) {
  const watch = new SilenceWatch(calls, options.timeoutS, (call) => {
    log.info({ call }, 'no media on the call');
    server.emit({ event: 'mediaTimeout', call });
  });
  const look = () => {
    watch
      .look(performance.now())
      .catch((error: Error) => log.error({ err: error }, 'looking for silent calls'))
      .finally(() => setTimeout(look, lookEveryMs(options.timeoutS)));
  };
  look();
}

let stopping = false;
async function stop(reason: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log.info({ reason }, 'media process ends');
  await server.close();
  await calls.closeAll();
  offers.close();
  store?.close();
  engine.close();
  await edge.close();
  process.exit(0);
}

process.on('SIGTERM', () => void stop('SIGTERM'));
process.on('SIGINT', () => void stop('SIGINT'));
// A parent that was killed closes the channel, or the pipe on standard input; a terminal or /dev/null says nothing.
if (process.connected) process.on('disconnect', () => void stop('the parent is gone'));
else if (fstatSync(0).isFIFO() || fstatSync(0).isSocket()) {
  process.stdin.on('end', () => void stop('the parent is gone')).resume();
}

// Calls between phones need no worker.
if (isAgain && store) void restore(store);
await engine.pool.ready.catch((error: Error) => fatal(error, 'mediasoup does not start'));
await server
  .listen(options.socket)
  .catch((error: Error) => fatal(error, `the socket ${options.socket} can't be opened`));
log.info(
  { socket: options.socket, workers: engine.pool.seats.map(({ pid }) => pid), portsMax },
  'media process ready',
);
