/** The results as Markdown: what docs/PERFORMANCE.md has between its markers. Every figure in it is measured. */
import type {
  CallRow,
  CallsPart,
  HeldRow,
  HighestRow,
  MediaPart,
  OverloadPart,
  RegisterPart,
  RegisterRow,
  Results,
  RunInfo,
} from '../results.ts';
import { type Bound, callsOf, type Goal, goals, OURS, outcome, ratio } from './goals.ts';
import { registrarTitle, titleOf } from './names.ts';
import { pictures } from './pictures.ts';

/** @param picturePath  where a picture is, seen from the document; given the end of its file name */
export function markdown(results: Results, picturePath: (picture: string) => string): string {
  const shown = new Set(Object.keys(pictures(results)));
  const picture = (name: string, alt: string) => (shown.has(name) ? [`![${alt}](${picturePath(name)})`] : []);
  const sections = [
    runSection(results),
    goalSection(results),
    ...(results.calls ? [callSection('## Calls', results.calls, callPictures(picture))] : []),
    ...(results.sipp
      ? [callSection('## Calls, placed by SIPp', results.sipp, results.calls ? [] : callPictures(picture))]
      : []),
    ...(results.register ? [registerSection(results.register, picture)] : []),
    ...(results.overload ? [overloadSection(results.overload)] : []),
    ...(results.media ? [mediaSection(results.media, picture)] : []),
    rfcSection(results),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n\n'))
    .join('\n\n')}\n`;
}

function overloadSection({ settings, best, rows }: OverloadPart): string[] {
  return [
    '## Overload',
    `The switch has ${Math.round(settings.cpuShare * 100)} % of a core. The best rate was ${thousands(best)} calls/s completed; offered were multiples of it, for ${settings.seconds} s each, by callers who repeat nothing.`,
    table(
      ['offered', 'overload control', 'completed', 'of the best', 'peak memory'],
      rows.map((row) => [
        `${thousands(row.offered)} calls/s (${row.multiple} times)`,
        row.control ? 'on' : 'off',
        `${thousands(row.completedPerSecond)} calls/s`,
        `${Math.round((100 * row.completedPerSecond) / Math.max(best, 1))} %`,
        figure(row.peakBytes / 1e6, 'MB'),
      ]),
    ),
  ];
}

type Picture = (name: string, alt: string) => string[];

function callPictures(picture: Picture): string[] {
  return [
    ...picture('calls', 'CPU per call and peak memory by call rate'),
    ...picture('latency', 'Added latency by call rate'),
  ];
}

function runSection(results: Results): string[] {
  const parts: [string, { run: RunInfo } | undefined][] = [
    ['calls', results.calls],
    ['calls, SIPp', results.sipp],
    ['registrations', results.register],
    ['overload', results.overload],
    ['media', results.media],
  ];
  const rows = parts.flatMap(([name, part]) => {
    if (!part) return [];
    const { date, commit, cpu, cores, memoryGb, kernel, versions } = part.run;
    const programs = Object.entries(versions).map(([program, version]) => `${program} ${version}`);
    const machine = `${cpu}, ${cores} cores, ${memoryGb} GB, Linux ${kernel}`;
    return [[name, `${date.slice(0, 16).replace('T', ' ')} UTC`, commit, machine, programs.join(', ')]];
  });
  return ['## Measured', table(['part', 'when', 'commit', 'machine', 'programs'], rows)];
}

function goalSection(results: Results): string[] {
  const rows = goals(results).map((one) => [
    one.figure,
    one.measured === undefined ? '' : figure(one.measured, one.unit),
    bound(one.goal, one),
    one.atLeast ? bound(one.atLeast, one) : '',
    { goal: 'goal', 'at least': 'at least', missed: '**missed**', 'not measured': 'not measured' }[
      outcome(one)
    ],
  ]);
  return ['## Figures to reach', table(['', 'measured', 'goal', 'at least', 'reached'], rows)];
}

function bound({ atMost, value }: Bound, { unit }: Goal): string {
  return `${atMost ? '≤' : '≥'} ${figure(value, unit)}`;
}

function callSection(title: string, part: CallsPart, pictureLines: string[]): string[] {
  const { settings, rows, highest, held } = part;
  return [
    title,
    ...pictureLines,
    `Calls placed by: ${settings.generator}. ${settings.rounds && settings.rounds > 1 ? `Each line is the run with the median CPU of ${settings.rounds} runs of ${settings.seconds} s; in brackets the CPU of the others.` : `Each line is one run of ${settings.seconds} s.`}`,
    callTable(rows),
    ...(settings.search ? highestLines(highest, settings.search) : []),
    ...(held.length > 0 ? heldLines(held) : []),
  ];
}

/** Without the columns of latency where no run measured it. */
function callTable(rows: CallRow[]): string {
  const hasLatency = rows.some(({ latency }) => latency);
  const latencyHead = ['added p50', 'p99', 'p99.9', 'generator late p99'];
  const latencyCells = ({ latency }: CallRow) =>
    [latency?.addedUs.p50, latency?.addedUs.p99, latency?.addedUs.p999, latency?.lateUs.p99].map((value) =>
      figure(value ?? Number.NaN, 'µs'),
    );
  return table(
    [
      'calls/s',
      '',
      'CPU per call',
      'Strowger ÷ this',
      ...(hasLatency ? latencyHead : []),
      'peak memory',
      'failed',
      'retransmissions',
    ],
    rows.map((row) => [
      `${thousands(row.callsPerSecond)}${row.half ? ' (half of a highest rate)' : ''}`,
      titleOf(row.peer),
      cpuCell(row),
      times(ratio(oursOf(rows, row)?.cpuUsPerCall, row.cpuUsPerCall)),
      ...(hasLatency ? latencyCells(row) : []),
      figure(row.peakBytes / 1e6, 'MB'),
      `${thousands(row.failed)} of ${thousands(row.calls)}`,
      thousands(row.retransmissions),
    ]),
  );
}

function cpuCell({ cpuUsPerCall, cpuUsPerCallOfRounds = [] }: CallRow): string {
  const others = cpuUsPerCallOfRounds.filter((value) => value !== cpuUsPerCall).map(Math.round);
  return `${figure(cpuUsPerCall, 'µs')}${others.length > 0 ? ` (${others.join(', ')})` : ''}`;
}

/** Our row of the same rate, for a row of another. */
function oursOf(rows: CallRow[], { peer, callsPerSecond }: CallRow): CallRow | undefined {
  if (peer === OURS) return undefined;
  return rows.find((row) => row.peer === OURS && row.callsPerSecond === callsPerSecond);
}

function highestLines(highest: HighestRow[], { seconds, grid }: { seconds: number; grid: number }): string[] {
  const ours = highest.find(({ peer }) => peer === OURS)?.passed;
  return [
    '### Highest rate',
    `Without a failed call, a lost message or a retransmission in ${seconds} s, on a grid of ${thousands(grid)} calls/s.`,
    table(
      ['', 'passed', 'failed', 'Strowger ÷ this'],
      highest.map(({ peer, passed, failed }) => [
        titleOf(peer),
        `${thousands(passed)} calls/s`,
        failed === undefined ? 'not tried' : `${thousands(failed)} calls/s`,
        peer === OURS ? '' : times(ratio(ours, passed)),
      ]),
    ),
  ];
}

function heldLines(held: HeldRow[]): string[] {
  return [
    '### Memory per call',
    table(
      ['', 'calls up', 'bytes per call'],
      held.map(({ peer, calls, bytesPerCall }) => [titleOf(peer), thousands(calls), thousands(bytesPerCall)]),
    ),
  ];
}

function registerSection({ rows }: RegisterPart, picture: Picture): string[] {
  const ours = ({ digest }: RegisterRow) =>
    rows.find((row) => row.peer === OURS && row.digest === digest)?.cpuUsPerRegistration;
  return [
    '## Registrations',
    ...picture('register', 'CPU per registration and memory per binding'),
    table(
      ['', '', 'rate', 'CPU per registration', 'Strowger ÷ this', 'bindings', 'bytes per binding', 'failed'],
      rows.map((row) => [
        row.digest ? 'digest (401, then 200)' : 'no digest',
        registrarTitle(row.peer),
        `${thousands(row.registrationsPerSecond)}/s`,
        figure(row.cpuUsPerRegistration, 'µs'),
        row.peer === OURS ? '' : times(ratio(ours(row), row.cpuUsPerRegistration)),
        thousands(row.bindings),
        thousands(row.bytesPerBinding),
        thousands(row.failed),
      ]),
    ),
  ];
}

function mediaSection({ rows }: MediaPart, picture: Picture): string[] {
  return [
    '## Media',
    ...picture('media', 'CPU per packet and added latency by number of calls'),
    table(
      ['calls', '', 'CPU per packet', 'added p50', 'p99', 'packets', 'lost'],
      rows.map((row) => [
        thousands(row.calls),
        row.batchWait ? `${row.name}, batch wait ${row.batchWait}` : row.name,
        figure(row.cpuUsPerPacket, 'µs'),
        figure(row.addedUs.p50, 'µs'),
        figure(row.addedUs.p99, 'µs'),
        thousands(row.packets),
        thousands(row.lost),
      ]),
    ),
  ];
}

/** The terms of RFC 7501 and what corresponds to them here. */
function rfcSection(results: Results): string[] {
  const rows: string[][] = [];
  for (const { peer, passed } of callsOf(results)?.highest ?? []) {
    rows.push([
      'Session Establishment Rate',
      'highest rate of session attempts at which none fails',
      titleOf(peer),
      `${thousands(passed)} calls/s`,
    ]);
  }
  for (const { peer, registrationsPerSecond, digest, failed } of results.register?.rows ?? []) {
    if (failed > 0) continue;
    rows.push([
      'Registration Rate',
      'a rate of registrations at which none failed; the highest is not searched for',
      `${registrarTitle(peer)}, ${digest ? 'digest' : 'no digest'}`,
      `≥ ${thousands(registrationsPerSecond)}/s`,
    ]);
  }
  if (rows.length === 0) return [];
  return ['## In the terms of RFC 7501 and RFC 7502', table(['term', 'meaning', '', 'value'], rows)];
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A value with its unit, three digits at most unless it is a large integer. */
function figure(value: number, unit: Goal['unit']): string {
  if (!Number.isFinite(value)) return '–';
  if (unit === '') return value.toFixed(2);
  const digits = Math.abs(value) < 10 ? value.toFixed(1) : thousands(value);
  return `${digits} ${unit}`;
}

function times(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(2);
}

/** Whole, with commas. */
function thousands(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';
}
