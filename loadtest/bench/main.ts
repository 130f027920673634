/**
 * `npm run bench`: Strowger next to other proxies in one run. See loadtest/README.md.
 *
 *   npm run bench -- [calls] [sipp] [register] [overload] [media] [report] [--quick] [--save]
 *
 * Without a part, all are measured. Results go to loadtest/results/DATE.json and the files beside it; with --save to
 * `reference.*`, which docs/PERFORMANCE.md shows.
 */
import { parseArgs } from 'node:util';
import { CALL_PEERS, type PeerKind } from '../peers/peer.ts';
import { type CallsOptions, measureCalls } from './calls.ts';
import type { Generator } from './generator.ts';
import { probe } from '../latency/prober.ts';
import { measureMedia } from '../media/compare.ts';
import { proberGenerator } from './prober-generator.ts';
import { measureOverload } from './overload.ts';
import { measureRegister } from './register.ts';
import { goalLines, REFERENCE, writeReport } from './report/report.ts';
import { mergeResults, type MediaPart } from './results.ts';
import { runInfo } from './run-info.ts';
import { SIPP } from './sipp-generator.ts';

const PARTS = ['calls', 'sipp', 'register', 'overload', 'media', 'report'] as const;
type Part = (typeof PARTS)[number];

const USAGE = `npm run bench -- [PART ...] [options]

parts (default: all)
  calls      CPU per call, added latency, memory and highest rate, ours and Kamailio's, by an open-loop prober
  sipp       CPU per call with calls placed by SIPp, which sends in bursts of 4 ms
  register   CPU per registration and memory per binding, with and without digest
  overload   calls completed when ten times too many are offered, the switch confined to a part of a core (root)
  media      CPU per RTP packet and added latency, ours and rtpengine's
  report     only writes the report on what was measured before

options
  --quick           fewer and shorter runs, and no search for the highest rate: three minutes
  --rates 500,1000  calls: only these calls per second, without a search for the highest rate
  --peers ID,ID     calls: only these of ${CALL_PEERS.map(({ id }) => id).join(', ')}
  --seconds N       calls: of each run
  --rounds N        calls, media: runs of which the one with the median CPU is shown
  --save            results are the reference results, shown in docs/PERFORMANCE.md
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rates: { type: 'string' },
    peers: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const name = values.save ? REFERENCE : new Date().toISOString().slice(0, 10);

/** What is measured by default, and with --quick. */
const SETTINGS = values.quick
  ? {
      calls: { rates: [1_000, 2_000], seconds: 4, rounds: 1 },
      sipp: { rates: [2_000], seconds: 4, rounds: 1 },
      register: { bindings: 20_000 },
      media: { calls: [50], seconds: 4, rounds: 1 },
      overload: { cpuShare: 0.05, rates: [600], multiples: [10], seconds: 4 },
    }
  : {
      calls: {
        rates: [500, 1_000, 2_000, 4_000],
        seconds: 5,
        rounds: 3,
        search: { from: 4_000, max: 32_000, grid: 1_000, seconds: 5 },
        held: 10_000,
      },
      sipp: { rates: [2_000], seconds: 8, rounds: 3 },
      register: { bindings: 100_000 },
      media: { calls: [50, 200], seconds: 6, rounds: 3 },
      overload: { cpuShare: 0.05, rates: [400, 600, 800, 1_000, 1_200], multiples: [1, 5, 10], seconds: 6 },
    };

async function main(): Promise<void> {
  const parts = chosenParts();
  if (parts.has('calls')) {
    const options = callsOptions(proberGenerator(probe), SETTINGS.calls);
    mergeResults(name, { calls: await measureCalls(options) });
  }
  if (parts.has('sipp')) mergeResults(name, { sipp: await measureCalls(callsOptions(SIPP, SETTINGS.sipp)) });
  if (parts.has('register')) mergeResults(name, { register: await measureRegister(SETTINGS.register) });
  if (parts.has('overload')) mergeResults(name, { overload: await measureOverload(SETTINGS.overload) });
  if (parts.has('media')) mergeResults(name, { media: await mediaPart() });
  const files = writeReport(name);
  console.log(`\n${goalLines(name).join('\n')}\n\n${files.join('\n')}`);
}

async function mediaPart(): Promise<MediaPart> {
  const run = runInfo();
  const rows = await measureMedia({
    ...SETTINGS.media,
    ...(values.rounds !== undefined && { rounds: positive(values.rounds) }),
    onRow: ({ name: relay, calls, cpuUsPerPacket, addedUs, lost, packets }) =>
      console.log(
        `media: ${relay}, ${calls} calls: ${cpuUsPerPacket.toFixed(1)} µs CPU per packet, added latency ` +
          `${[addedUs.p50, addedUs.p99, addedUs.p999].map(Math.round).join(' / ')} µs, ${lost} of ${packets} lost`,
      ),
  });
  return { run, rows };
}

type CallSettings = Omit<CallsOptions, 'generator' | 'peers'>;

function callsOptions(generator: Generator, settings: CallSettings): CallsOptions {
  const { rates, seconds, rounds, search, held } = settings;
  const only = values.rates?.split(',').map(positive);
  return {
    generator,
    peers: chosenPeers(),
    rates: only ?? rates,
    seconds: values.seconds === undefined ? seconds : positive(values.seconds),
    rounds: values.rounds === undefined ? rounds : positive(values.rounds),
    ...(only === undefined && { search, held }),
  };
}

function chosenParts(): Set<Part> {
  const unknown = positionals.find((part) => !PARTS.includes(part as Part));
  if (unknown !== undefined) throw new Error(`no part "${unknown}"\n\n${USAGE}`);
  return new Set(positionals.length > 0 ? (positionals as Part[]) : PARTS);
}

function chosenPeers(): PeerKind[] {
  const ids = values.peers?.split(',') ?? CALL_PEERS.map(({ id }) => id);
  return ids.map((id) => {
    const kind = CALL_PEERS.find((one) => one.id === id);
    if (!kind) throw new Error(`no peer "${id}"\n\n${USAGE}`);
    return kind;
  });
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`"${text}" is not a number above 0`);
  return value;
}

if (values.help) console.log(USAGE);
else {
  try {
    await main();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
