/** The pictures of the results. */
import type { CallRow, CallsPart, Results, RunInfo } from '../results.ts';
import { callsOf } from './goals.ts';
import { inkAt, inkOf, registrarTitle, titleOf } from './names.ts';
import type { Panel, Picture, Series } from './svg.ts';

/** By the end of their file names. Parts that were not measured have no picture. */
export function pictures(results: Results): Record<string, Picture> {
  const calls = callsOf(results);
  const hasLatency = calls?.rows.some(({ latency }) => latency);
  return {
    ...(calls && { calls: callsPicture(calls) }),
    ...(calls && hasLatency && { latency: latencyPicture(calls) }),
    ...(results.register && { register: registerPicture(results.register.rows, results.register.run) }),
    ...(results.media && { media: mediaPicture(results.media.rows, results.media.run) }),
  };
}

const X_TITLE = 'calls per second';

function callsPicture({ rows, run, settings }: CallsPart): Picture {
  const panel = (title: string, value: (row: CallRow) => number | undefined): Panel => ({
    kind: 'lines',
    title,
    xTitle: X_TITLE,
    series: seriesByPeer(rows, value),
  });
  return {
    title: 'Cost of a call through one proxy thread',
    subtitle: `${subtitle(run)}, calls placed by ${settings.generator}`,
    panels: [
      panel('CPU per call, µs', (row) => row.cpuUsPerCall),
      panel('Peak memory, MB', (row) => row.peakBytes / 1e6),
    ],
  };
}

function latencyPicture({ rows, run, settings }: CallsPart): Picture {
  const panel = (title: string, value: (row: CallRow) => number | undefined): Panel => ({
    kind: 'lines',
    title,
    xTitle: X_TITLE,
    series: seriesByPeer(rows, value),
  });
  return {
    title: 'Latency that the proxy adds to a message, µs',
    subtitle: `Logarithmic. ${subtitle(run)}, calls placed by ${settings.generator}`,
    log: true,
    panels: [
      panel('half of the messages (p50)', ({ latency }) => latency?.addedUs.p50),
      panel('99 of 100 (p99)', ({ latency }) => latency?.addedUs.p99),
      panel('999 of 1,000 (p99.9)', ({ latency }) => latency?.addedUs.p999),
    ],
  };
}

function seriesByPeer(rows: CallRow[], value: (row: CallRow) => number | undefined): Series[] {
  return peersOf(rows).map((peer) => ({
    name: titleOf(peer),
    ink: inkOf(peer),
    points: rows
      .filter((row) => row.peer === peer)
      .map((row) => ({
        x: row.callsPerSecond,
        y: value(row) ?? Number.NaN,
        flawed: row.failed > 0 || row.retransmissions > 0,
      })),
  }));
}

function registerPicture(rows: NonNullable<Results['register']>['rows'], run: RunInfo): Picture {
  const series = (value: (row: (typeof rows)[number]) => number, digests: boolean[]): Series[] =>
    peersOf(rows).map((peer) => ({
      name: registrarTitle(peer),
      ink: inkOf(peer),
      points: digests.map((digest, x) => {
        const row = rows.find((one) => one.peer === peer && one.digest === digest);
        return { x, y: row ? value(row) : Number.NaN };
      }),
    }));
  return {
    title: 'Cost of a registration',
    subtitle: subtitle(run),
    panels: [
      {
        kind: 'bars',
        title: 'CPU per registration, µs',
        groups: ['no digest', 'digest: 401, then 200'],
        series: series((row) => row.cpuUsPerRegistration, [false, true]),
      },
      {
        kind: 'bars',
        title: 'Memory per binding, bytes',
        groups: ['one contact per user'],
        series: series((row) => row.bytesPerBinding, [false]),
      },
    ],
  };
}

function mediaPicture(rows: NonNullable<Results['media']>['rows'], run: RunInfo): Picture {
  const counts = [...new Set(rows.map(({ calls }) => calls))];
  const names = [...new Set(rows.map(({ name }) => name))];
  const series = (value: (row: (typeof rows)[number]) => number): Series[] =>
    names.map((name, i) => ({
      name,
      ink: inkAt(i),
      points: counts.map((calls, x) => {
        const row = rows.find((one) => one.name === name && one.calls === calls);
        return { x, y: row ? value(row) : Number.NaN };
      }),
    }));
  const groups = counts.map((calls) => `${calls} calls`);
  return {
    title: 'Cost of a media packet',
    subtitle: subtitle(run),
    panels: [
      { kind: 'bars', title: 'CPU per packet, µs', groups, series: series((row) => row.cpuUsPerPacket) },
      { kind: 'bars', title: 'Added latency p99, µs', groups, series: series((row) => row.addedUs.p99) },
    ],
  };
}

function peersOf(rows: readonly { peer: string }[]): string[] {
  return [...new Set(rows.map(({ peer }) => peer))];
}

function subtitle({ date, cpu, cores, commit }: RunInfo): string {
  return `${date.slice(0, 10)}, ${cpu}, ${cores} cores, commit ${commit}`;
}
