/**
 * What recording costs (docs/recording.md): the same calls with it off, in memory and to files, in turns.
 *
 *   node loadtest/recording/main.ts [--rate 1000] [--seconds 10] [--rounds 3] [--json]
 *
 * CPU is that of all processes of the switch, all threads, per call; latency is what the switch adds to a message.
 */
import { parseArgs } from 'node:util';
import { Switch } from '../../switch/test/e2e/harness/switch.ts';
import { probe } from '../latency/prober.ts';

const MODES = ['off', 'memory', 'file'] as const;
const HOLD_MS = 100;

interface Row {
  mode: (typeof MODES)[number];
  failed: number;
  cpuUsPerCall: number;
  /** Latency added to a message, µs. */
  p50: number;
  p99: number;
  /** Recorded, before compression. */
  bytesPerCall: number;
  lost: number;
  differences: number;
}

async function measure(mode: Row['mode'], callsPerSecond: number, seconds: number): Promise<Row> {
  const strowger = await Switch.start({
    base: 'bench.yaml',
    change: (config) => {
      config.recording = { mode };
      config.users = [{ user: 'bob', password: 'bob' }] as never;
    },
  });
  try {
    const before = await strowger.metrics();
    const load = { callsPerSecond, seconds, holdMs: HOLD_MS, user: 'bob', domain: 'strowger.test' };
    const result = await probe({ ...load, proxy: strowger.sip, pid: strowger.program.pid });
    const after = await strowger.metrics();
    const grown = (name: string): number => after.sum(name) - before.sum(name);
    const calls = grown('strowger_calls_total');
    return {
      mode,
      failed: result.failed,
      cpuUsPerCall: result.cpuUsPerCall!,
      p50: result.added.all.p50,
      p99: result.added.all.p99,
      bytesPerCall: grown('strowger_recording_bytes_total') / calls,
      lost: grown('strowger_recording_lost_total'),
      differences: grown('strowger_recording_differences_total'),
    };
  } finally {
    await strowger.stop();
  }
}

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const rows: Row[] = [];
for (let round = 0; round < Number(values.rounds); round++)
  for (const mode of MODES) rows.push(await measure(mode, Number(values.rate), Number(values.seconds)));
rows.sort((a, b) => MODES.indexOf(a.mode) - MODES.indexOf(b.mode) || a.cpuUsPerCall - b.cpuUsPerCall);
if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(rows);
