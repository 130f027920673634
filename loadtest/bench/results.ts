/** What a run of the benchmarks found, as it is kept in a file. Parts are measured one by one and merged into it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallRun } from './generator.ts';
import type { MediaRow } from './media.ts';
import type { SearchOptions } from './search.ts';

/** Where result files are. */
export const RESULTS_FOLDER = join(import.meta.dirname, '../results');

/** When, where and of what a part was measured. */
export interface RunInfo {
  /** ISO 8601, UTC. */
  date: string;
  /** Git commit of this repository; ends in `+` when there were changes to it. */
  commit: string;
  cpu: string;
  cores: number;
  memoryGb: number;
  kernel: string;
  /** Versions: node, kamailio, sipp, rtpengine; those that are installed. */
  versions: Record<string, string>;
}

/** µs */
export interface Latency {
  count: number;
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

/** Calls through one peer at one rate; everything of one run. */
export interface CallRow extends CallRun {
  peer: string;
  callsPerSecond: number;
  /** This rate is half of the highest one of this peer or of another. */
  half?: boolean;
  /** Peak memory of the process tree, bytes. */
  peakBytes: number;
  /** CPU of all runs at this rate, of which this one is the median; ascending. */
  cpuUsPerCallOfRounds?: number[];
}

/** One step of the search for the highest rate. */
export interface SearchStep {
  callsPerSecond: number;
  passed: boolean;
  calls: number;
  failed: number;
  lost: number;
  retransmissions: number;
}

export interface HighestRow {
  peer: string;
  /** Highest rate without a failed call, a lost message or a retransmission. */
  passed: number;
  /** The next rate that was tried and did not pass. */
  failed?: number;
  steps: SearchStep[];
}

/** Growth of memory by calls that are up at the same time. */
export interface HeldRow {
  peer: string;
  calls: number;
  bytesPerCall: number;
}

export interface CallsPart {
  run: RunInfo;
  settings: {
    generator: string;
    seconds: number;
    rounds?: number;
    search?: SearchOptions & { seconds: number };
  };
  rows: CallRow[];
  highest: HighestRow[];
  held: HeldRow[];
}

export interface RegisterRow {
  peer: string;
  digest: boolean;
  registrationsPerSecond: number;
  /** Users registered, one binding each. */
  bindings: number;
  /** Registrations that were refused, or not answered. */
  failed: number;
  /** With digest: of both REGISTERs, the one that is challenged and the one that is accepted. */
  cpuUsPerRegistration: number;
  bytesPerBinding: number;
}

export interface RegisterPart {
  run: RunInfo;
  settings: { bindings: number };
  rows: RegisterRow[];
}

/** One rate, offered to a switch with a part of a core. */
export interface OverloadRow {
  /** Calls per second. */
  offered: number;
  /** `offered` by the best rate. */
  multiple?: number;
  /** With overload control. */
  control: boolean;
  completedPerSecond: number;
  failed: number;
  peakBytes: number;
}

export interface OverloadPart {
  run: RunInfo;
  settings: { cpuShare: number; seconds: number };
  /** Most calls completed per second at any rate that was tried below overload. */
  best: number;
  rows: OverloadRow[];
}

export interface MediaPart {
  run: RunInfo;
  rows: MediaRow[];
}

export interface Results {
  calls?: CallsPart;
  /** The same with SIPp as the generator, which sends in bursts and measures no latency. */
  sipp?: CallsPart;
  register?: RegisterPart;
  overload?: OverloadPart;
  media?: MediaPart;
}

/** The results of that name; empty when there is no such file. */
export function readResults(name: string): Results {
  const file = resultsFile(name, 'json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {};
}

/** Puts parts in the file of that name; its other parts stay. Returns all of it. */
export function mergeResults(name: string, parts: Results): Results {
  const results = { ...readResults(name), ...parts };
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  writeFileSync(resultsFile(name, 'json'), `${JSON.stringify(results, null, 2)}\n`);
  return results;
}

export function resultsFile(name: string, extension: string): string {
  return join(RESULTS_FOLDER, `${name}.${extension}`);
}
