/** What a metric is, and helpers to describe those read from the core's counters. */
import type { MediaTotals } from '../../../media/protocol.ts';
import type { CallLog } from '../call-log.ts';
import type { CoreLink } from '../core-link.ts';
import type { Flows } from '../flows/flows.ts';
import type { HistogramSnapshot } from '../histogram.ts';
import type { MediaBridge } from '../media-bridge.ts';
import type { JournalReading } from '../../journal/journal.ts';
import type { RecorderReading } from '../../recording/recorder.ts';
import type { RealtimeReading } from '../realtime-port.ts';

/** Everything a scrape reads, taken once per scrape. */
export interface MetricSources {
  realtime: RealtimeReading;
  flows: Flows;
  link: CoreLink;
  calls: CallLog;
  /** Null when media is not anchored. */
  bridge: MediaBridge | null;
  /** Null when the media process does not answer. */
  media: MediaTotals | null;
  /** WebSocket handshakes refused because of their Origin. */
  originsRefused: number;
  /** Null when nothing is recorded. */
  recording: RecorderReading | null;
  /** Null when bindings are not kept, or this node is not active. */
  journal: JournalReading | null;
}

/** Label values by name. */
export type Labels = Readonly<Record<string, string | number>>;

/** A number with its labels. */
export interface Sample {
  labels?: Labels;
  value: number;
}

/** A histogram with its labels; exported in seconds. */
export interface Distribution {
  labels?: Labels;
  histogram: HistogramSnapshot;
}

interface MetricBase {
  name: string;
  help: string;
  /** Names of the labels and what they hold. */
  labels?: Readonly<Record<string, string>>;
}

/** One metric: its documentation and how it is read. */
export type Metric =
  | (MetricBase & { type: 'gauge' | 'counter'; read(sources: MetricSources): readonly Sample[] })
  | (MetricBase & { type: 'histogram'; read(sources: MetricSources): readonly Distribution[] });

/** A gauge that is one counter of the core. */
export function coreGauge(name: string, help: string, index: number): Metric {
  return { name, help, type: 'gauge', read: ({ realtime }) => [{ value: realtime.counters[index] ?? 0 }] };
}

/** A total that is one counter of the core. */
export function coreTotal(name: string, help: string, index: number): Metric {
  return { name, help, type: 'counter', read: ({ realtime }) => [{ value: realtime.counters[index] ?? 0 }] };
}
