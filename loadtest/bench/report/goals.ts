/** The figures that Strowger set out to reach, next to those that were measured. Ratios are ours to the peer's. */
import type { CallRow, CallsPart, Results } from '../results.ts';

export interface Goal {
  figure: string;
  /** Undefined when it was not measured. */
  measured?: number;
  unit: '' | 'µs' | 'MB' | 'B';
  /** What is aimed at. */
  goal: Bound;
  /** What is still acceptable; for some figures there is only the goal. */
  atLeast?: Bound;
}

export interface Bound {
  atMost: boolean;
  value: number;
}

export type Outcome = 'goal' | 'at least' | 'missed' | 'not measured';

/** Our peer's id. */
export const OURS = 'strowger';
const STATEFUL = 'kamailio';
const STATELESS = 'kamailio-stateless';

const atMost = (value: number): Bound => ({ atMost: true, value });
const atLeast = (value: number): Bound => ({ atMost: false, value });

export function goals(results: Results): Goal[] {
  return [
    ...callCpuGoals(results.calls ?? results.sipp, ''),
    ...(results.calls && results.sipp ? callCpuGoals(results.sipp, ', placed by SIPp') : []),
    ...rateGoals(results),
    ...latencyGoals(results, 'at 1,000 calls/s', (row) => row.callsPerSecond === 1_000),
    ...latencyGoals(results, 'at half of the highest rate', halfOfHighest(results)),
    ...memoryGoals(results),
    ...overloadGoals(results),
    ...mediaGoals(results),
  ];
}

export function outcome({ measured, goal, atLeast }: Goal): Outcome {
  if (measured === undefined || !Number.isFinite(measured)) return 'not measured';
  if (meets(measured, goal)) return 'goal';
  return atLeast && meets(measured, atLeast) ? 'at least' : 'missed';
}

function meets(measured: number, bound: Bound): boolean {
  return bound.atMost ? measured <= bound.value : measured >= bound.value;
}

/** @param how the calls were placed, when not by the prober */
function callCpuGoals(part: CallsPart | undefined, how: string): Goal[] {
  const cpu = (peer: string) =>
    part?.rows.find((row) => row.peer === peer && row.callsPerSecond === 2_000)?.cpuUsPerCall;
  return [
    {
      figure: `CPU per call at 2,000 calls/s${how} ÷ Kamailio, stateful`,
      measured: ratio(cpu(OURS), cpu(STATEFUL)),
      unit: '',
      goal: atMost(0.4),
      atLeast: atMost(0.6),
    },
    {
      figure: `CPU per call at 2,000 calls/s${how} ÷ Kamailio, stateless`,
      measured: ratio(cpu(OURS), cpu(STATELESS)),
      unit: '',
      goal: atMost(0.6),
      atLeast: atMost(0.9),
    },
  ];
}

function rateGoals(results: Results): Goal[] {
  const highest = (peer: string) => callsOf(results)?.highest.find((row) => row.peer === peer)?.passed;
  const register = (peer: string) =>
    results.register?.rows.find((row) => row.peer === peer && row.digest)?.cpuUsPerRegistration;
  return [
    {
      figure: 'highest call rate ÷ Kamailio, stateful',
      measured: ratio(highest(OURS), highest(STATEFUL)),
      unit: '',
      goal: atLeast(2),
      atLeast: atLeast(1.2),
    },
    {
      figure: 'CPU per registration with digest ÷ Kamailio',
      measured: ratio(register(OURS), register(STATEFUL)),
      unit: '',
      goal: atMost(0.5),
      atLeast: atMost(0.8),
    },
  ];
}

function latencyGoals(results: Results, where: string, fits: (row: CallRow) => boolean): Goal[] {
  const ours = callRow(results, OURS, fits)?.latency?.addedUs;
  const theirs = callRow(results, STATEFUL, fits)?.latency?.addedUs;
  return [
    {
      figure: `latency ${where}, p50`,
      measured: ours?.p50,
      unit: 'µs',
      goal: atMost(100),
      atLeast: atMost(200),
    },
    { figure: `latency ${where}, p99`, measured: ours?.p99, unit: 'µs', goal: atMost(200) },
    { figure: `latency ${where}, p99.9`, measured: ours?.p999, unit: 'µs', goal: atMost(1_000) },
    {
      figure: `latency ${where}, p99 ÷ Kamailio, stateful`,
      measured: ratio(ours?.p99, theirs?.p99),
      unit: '',
      goal: atMost(1),
      atLeast: atMost(1.2),
    },
    {
      figure: `latency ${where}, p99.9 ÷ Kamailio, stateful`,
      measured: ratio(ours?.p999, theirs?.p999),
      unit: '',
      goal: atMost(1),
    },
  ];
}

/** Half of our highest rate: of the rates that were run for that, the one that is nearest. */
function halfOfHighest(results: Results): (row: CallRow) => boolean {
  const half = (callsOf(results)?.highest.find(({ peer }) => peer === OURS)?.passed ?? Number.NaN) / 2;
  return (row) => row.half === true && Math.abs(row.callsPerSecond - half) < 100;
}

function memoryGoals(results: Results): Goal[] {
  const peak = callRow(results, OURS, ({ callsPerSecond }) => callsPerSecond === 4_000)?.peakBytes;
  const binding = results.register?.rows.find((row) => row.peer === OURS && !row.digest)?.bytesPerBinding;
  const call = callsOf(results)?.held.find(({ peer }) => peer === OURS)?.bytesPerCall;
  return [
    {
      figure: 'peak memory at 4,000 calls/s',
      measured: peak === undefined ? undefined : peak / 1e6,
      unit: 'MB',
      goal: atMost(300),
      atLeast: atMost(450),
    },
    { figure: 'memory per binding', measured: binding, unit: 'B', goal: atMost(512), atLeast: atMost(1_024) },
    { figure: 'memory per call', measured: call, unit: 'B', goal: atMost(2_048), atLeast: atMost(4_096) },
  ];
}

function overloadGoals({ overload }: Results): Goal[] {
  const row = overload?.rows.find(({ control, multiple }) => control && multiple === 10);
  return [
    {
      figure: 'calls completed at 10 times the best rate ÷ best rate',
      measured: ratio(row?.completedPerSecond, overload?.best),
      unit: '',
      goal: atLeast(0.9),
    },
  ];
}

/** A plain to plain row of ours is the one that is measured by default: the first of its kind. */
function mediaGoals({ media }: Results): Goal[] {
  const counts = [...new Set(media?.rows.map(({ calls }) => calls) ?? [50, 200])];
  return counts.map((calls) => {
    const cpu = (name: RegExp) =>
      media?.rows.find((row) => row.calls === calls && name.test(row.name))?.cpuUsPerPacket;
    return {
      figure: `media plain to plain, CPU per packet at ${calls} calls ÷ rtpengine`,
      measured: ratio(cpu(/plain to plain/i), cpu(/rtpengine/i)),
      unit: '',
      goal: atMost(1),
      atLeast: atMost(2),
    };
  });
}

/** Calls as the prober measured them; as SIPp did, which is CPU and memory only, where the prober has not. */
export function callsOf(results: Results): CallsPart | undefined {
  return results.calls ?? results.sipp;
}

function callRow(results: Results, peer: string, fits: (row: CallRow) => boolean): CallRow | undefined {
  return callsOf(results)?.rows.find((row) => row.peer === peer && fits(row));
}

/** Undefined unless both are known and the divisor is not 0. */
export function ratio(ours: number | undefined, theirs: number | undefined): number | undefined {
  return ours === undefined || !theirs ? undefined : ours / theirs;
}
