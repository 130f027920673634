/** The table of metrics. docs/reference/metrics.md is generated from it. */
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { METHOD_NAMES, TRANSPORT_NAMES } from '../../../wasm-core/host/names.ts';
import type { JournalReading } from '../../journal/journal.ts';
import type { RecorderReading } from '../../recording/recorder.ts';
import { coreGauge, coreTotal, type Metric, type MetricSources, type Sample } from './table.ts';

const CALL_STATES = [
  ['invited', abi.C_CALLS_INVITED],
  ['ringing', abi.C_CALLS_RINGING],
  ['answered', abi.C_CALLS_ANSWERED],
  ['ending', abi.C_CALLS_ENDING],
] as const;
const STATUS_MIN = 200;
const STATUS_MAX = 699;
/** Row length of the counters by transport. */
const PER_ROW = 8;
const TRANSPORT = { transport: 'udp, tcp, tls, ws, wss' };

/** Samples of a table of counters with one row per name and one column per transport; zeros are left out. */
function byTransport(
  sources: MetricSources,
  base: number,
  rows: readonly (readonly [string, number])[],
  labels: (row: string) => Record<string, string>,
): Sample[] {
  const { counters } = sources.realtime;
  return rows.flatMap(([name, row]) =>
    TRANSPORT_NAMES.map((transport, column) => ({
      labels: { ...labels(name), transport },
      value: counters[base + row * PER_ROW + column] ?? 0,
    })).filter((sample) => sample.value > 0),
  );
}

const METHOD_ROWS = METHOD_NAMES.map((name, row) => [name, row] as const);
const CLASS_ROWS = [1, 2, 3, 4, 5, 6].map((row) => [`${row}xx`, row] as const);

const callMetrics: readonly Metric[] = [
  coreGauge('strowger_calls_active', 'Calls at this moment.', abi.C_CALLS_ACTIVE),
  {
    name: 'strowger_calls',
    help: 'Calls at this moment by state.',
    type: 'gauge',
    labels: { state: 'invited, ringing, answered, ending' },
    read: ({ realtime }) =>
      CALL_STATES.map(([state, index]) => ({ labels: { state }, value: realtime.counters[index] ?? 0 })),
  },
  coreTotal('strowger_calls_total', 'Calls begun.', abi.C_CALLS_TOTAL),
  coreTotal('strowger_calls_answered_total', 'Calls answered.', abi.C_CALLS_ANSWERED_TOTAL),
  {
    name: 'strowger_call_final_total',
    help: 'Final answers to initial INVITEs.',
    type: 'counter',
    labels: { code: 'SIP status' },
    read: ({ realtime }) => {
      const samples: Sample[] = [];
      for (let code = STATUS_MIN; code <= STATUS_MAX; code++) {
        const value = realtime.counters[abi.C_FINAL + code - STATUS_MIN] ?? 0;
        if (value > 0) samples.push({ labels: { code }, value });
      }
      return samples;
    },
  },
  {
    name: 'strowger_cdrs',
    help: 'Call detail records kept in memory.',
    type: 'gauge',
    read: ({ calls }) => [{ value: calls.cdrs.size }],
  },
];

const registrarMetrics: readonly Metric[] = [
  coreGauge('strowger_bindings', 'Registered contacts.', abi.C_BINDINGS),
  coreGauge('strowger_aors', 'Addresses of record with a contact.', abi.C_AORS),
  {
    name: 'strowger_register_total',
    help: 'Answers to REGISTER.',
    type: 'counter',
    labels: { class: '2xx to 6xx' },
    read: ({ realtime }) =>
      [2, 3, 4, 5, 6].map((row) => ({
        labels: { class: `${row}xx` },
        value: realtime.counters[abi.C_REGISTER_FINAL + row] ?? 0,
      })),
  },
  {
    name: 'strowger_auth_total',
    help: 'Digest authentication.',
    type: 'counter',
    labels: { result: 'ok, challenged, failed' },
    read: ({ realtime }) => [
      { labels: { result: 'ok' }, value: realtime.counters[abi.C_AUTH_OK] ?? 0 },
      { labels: { result: 'challenged' }, value: realtime.counters[abi.C_AUTH_CHALLENGED] ?? 0 },
      { labels: { result: 'failed' }, value: realtime.counters[abi.C_AUTH_FAILED] ?? 0 },
    ],
  },
];

const messageMetrics: readonly Metric[] = [
  {
    name: 'strowger_requests_total',
    help: 'SIP requests.',
    type: 'counter',
    labels: { direction: 'in, out', method: 'INVITE and so on, other', ...TRANSPORT },
    read: (sources) => [
      ...byTransport(sources, abi.C_REQUESTS_IN, METHOD_ROWS, (method) => ({ direction: 'in', method })),
      ...byTransport(sources, abi.C_REQUESTS_OUT, METHOD_ROWS, (method) => ({ direction: 'out', method })),
    ],
  },
  {
    name: 'strowger_responses_total',
    help: 'SIP responses.',
    type: 'counter',
    labels: { direction: 'in, out', class: '1xx to 6xx', ...TRANSPORT },
    read: (sources) => [
      ...byTransport(sources, abi.C_RESPONSES_IN, CLASS_ROWS, (name) => ({ direction: 'in', class: name })),
      ...byTransport(sources, abi.C_RESPONSES_OUT, CLASS_ROWS, (name) => ({ direction: 'out', class: name })),
    ],
  },
  {
    name: 'strowger_retransmissions_total',
    help: 'Retransmissions: absorbed (in) and sent (out).',
    type: 'counter',
    labels: { direction: 'in, out' },
    read: ({ realtime }) => [
      { labels: { direction: 'in' }, value: realtime.counters[abi.C_RETRANSMITS_IN] ?? 0 },
      { labels: { direction: 'out' }, value: realtime.counters[abi.C_RETRANSMITS_OUT] ?? 0 },
    ],
  },
  coreTotal('strowger_malformed_total', 'Messages that are not valid SIP.', abi.C_MALFORMED),
  coreTotal('strowger_unmatched_total', 'Responses and ACKs that match nothing.', abi.C_DROPPED),
  coreTotal('strowger_loops_total', 'Requests refused because they loop.', abi.C_LOOPS),
  coreTotal(
    'strowger_cookies_bad_total',
    'Messages with a routing cookie that is not ours.',
    abi.C_COOKIE_BAD,
  ),
];

const tableMetrics: readonly Metric[] = [
  coreGauge('strowger_transactions_active', 'INVITEs being set up.', abi.C_TRANSACTIONS),
  coreGauge('strowger_branches_active', 'Branches of INVITEs being set up.', abi.C_BRANCHES),
  coreGauge('strowger_pending_media', 'Messages waiting for media set-up.', abi.C_PENDING),
  coreGauge('strowger_pool_blocks', 'Memory blocks of the core in use.', abi.C_BLOCKS_USED),
  coreGauge('strowger_timers', 'Timers running in the core.', abi.C_TIMERS),
  coreTotal('strowger_table_full_total', 'Requests refused because a table was full.', abi.C_TABLE_FULL),
  {
    name: 'strowger_connections',
    help: 'Open connections.',
    type: 'gauge',
    labels: { transport: 'tcp, ws, wss' },
    read: ({ flows }) =>
      [abi.TRANSPORT_TCP, abi.TRANSPORT_WS, abi.TRANSPORT_WSS].map((transport) => ({
        labels: { transport: TRANSPORT_NAMES[transport] ?? '' },
        value: flows.count(transport),
      })),
  },
  {
    name: 'strowger_connections_refused_total',
    help: 'Connections not taken.',
    type: 'counter',
    labels: {
      cause: 'full (limits.connections), source-full (limits.connectionsPerSource), origin (http.origins)',
    },
    read: ({ flows, originsRefused }) => [
      { labels: { cause: 'full' }, value: flows.refused.full },
      { labels: { cause: 'source-full' }, value: flows.refused['source-full'] },
      { labels: { cause: 'origin' }, value: originsRefused },
    ],
  },
];

const threadMetrics: readonly Metric[] = [
  {
    name: 'strowger_ring_bytes',
    help: 'Bytes waiting in the rings between the control and the realtime thread.',
    type: 'gauge',
    labels: { ring: 'to_core, from_core' },
    read: ({ realtime }) => [
      { labels: { ring: 'to_core' }, value: realtime.ringToCoreBytes },
      { labels: { ring: 'from_core' }, value: realtime.ringFromCoreBytes },
    ],
  },
  {
    name: 'strowger_ring_backlog',
    help: 'Events waiting for room in the ring to the core.',
    type: 'gauge',
    read: ({ link }) => [{ value: link.backlog }],
  },
  {
    name: 'strowger_messages_refused_total',
    help: 'Stream messages refused because the ring was full for too long.',
    type: 'counter',
    read: ({ link }) => [{ value: link.refused }],
  },
  {
    name: 'strowger_datagrams_dropped_total',
    help: 'Datagrams dropped: by the system because the socket was full (in), or because they could not be sent (out).',
    type: 'counter',
    labels: { direction: 'in, out' },
    read: ({ realtime }) => [
      { labels: { direction: 'in' }, value: realtime.droppedIn },
      { labels: { direction: 'out' }, value: realtime.droppedOut },
    ],
  },
  {
    name: 'strowger_batch_waits_total',
    help: 'Times that the realtime thread let a batch gather (realtime.batchWait).',
    type: 'counter',
    read: ({ realtime }) => [{ value: realtime.batchWaits }],
  },
  {
    name: 'strowger_batch_wait_seconds_total',
    help: 'Time that it spent so.',
    type: 'counter',
    read: ({ realtime }) => [{ value: realtime.batchWaitUs / 1e6 }],
  },
  {
    name: 'strowger_realtime_heap_bytes',
    help: 'JavaScript heap of the realtime thread in use; read once a second.',
    type: 'gauge',
    read: ({ realtime }) => [{ value: realtime.heapBytes }],
  },
  {
    name: 'strowger_core_traps_total',
    help: 'Times that the core has trapped and was replaced by another one with its records; its counters begin anew then. What it trapped at is in recording.crashFolder.',
    type: 'counter',
    read: ({ realtime }) => [{ value: realtime.traps }],
  },
  {
    name: 'strowger_core_step_seconds',
    help: 'Time of one step of the core, which handles a batch of events.',
    type: 'histogram',
    read: ({ realtime }) => [{ histogram: realtime.step }],
  },
  {
    name: 'strowger_stage_seconds',
    help: 'Latency by stage; budgets are in the configuration.',
    type: 'histogram',
    labels: { stage: 'queue, core, media, setup, setup_media' },
    read: ({ realtime, calls, bridge }) => [
      { labels: { stage: 'queue' }, histogram: realtime.queue },
      { labels: { stage: 'core' }, histogram: realtime.core },
      { labels: { stage: 'setup' }, histogram: calls.setup.snapshot() },
      { labels: { stage: 'setup_media' }, histogram: calls.setupMedia.snapshot() },
      ...(bridge ? [{ labels: { stage: 'media' }, histogram: bridge.histogram.snapshot() }] : []),
    ],
  },
  {
    name: 'strowger_budget_breaches_total',
    help: 'Measurements above the budget of their stage.',
    type: 'counter',
    labels: { stage: 'queue, core, media, setup, setup_media' },
    read: ({ realtime, calls, bridge }) => [
      { labels: { stage: 'queue' }, value: realtime.queueBreaches },
      { labels: { stage: 'core' }, value: realtime.coreBreaches },
      { labels: { stage: 'setup' }, value: calls.setup.breaches },
      { labels: { stage: 'setup_media' }, value: calls.setupMedia.breaches },
      { labels: { stage: 'media' }, value: bridge?.histogram.breaches ?? 0 },
    ],
  },
];

const overloadMetrics: readonly Metric[] = [
  coreGauge(
    'strowger_admission_limit',
    'New INVITEs and REGISTERs let in per second while overloaded; 0 = no limit.',
    abi.C_ADMIT_LIMIT,
  ),
  coreTotal(
    'strowger_overload_intervals_total',
    'Intervals of 100 ms in which every message waited longer than overload.targetUs.',
    abi.C_OVERLOAD_INTERVALS,
  ),
  {
    name: 'strowger_refused_total',
    help: 'Requests refused by overload control.',
    type: 'counter',
    labels: { cause: 'overload, source (overload.sourcePerS), user (overload.userPerS)' },
    read: ({ realtime }) => [
      { labels: { cause: 'overload' }, value: realtime.counters[abi.C_SHED] ?? 0 },
      { labels: { cause: 'source' }, value: realtime.counters[abi.C_LIMITED_SOURCE] ?? 0 },
      { labels: { cause: 'user' }, value: realtime.counters[abi.C_LIMITED_USER] ?? 0 },
    ],
  },
  coreTotal(
    'strowger_refused_unanswered_total',
    'Of these, what got no answer because there were too many.',
    abi.C_SHED_SILENT,
  ),
];

const availabilityMetrics: readonly Metric[] = [
  coreGauge('strowger_epoch', 'Epoch with which the node serves; 0 = without a lease.', abi.C_EPOCH),
  coreGauge('strowger_mirror_synced', '1 while a standby has everything.', abi.C_MIRROR_SYNCED),
  coreGauge(
    'strowger_mirror_lag_records',
    'Changed records still to be sent to the standby.',
    abi.C_MIRROR_DIRTY,
  ),
  coreGauge(
    'strowger_mirror_lag_frames',
    'Frames that the standby has not acknowledged.',
    abi.C_MIRROR_UNACKED,
  ),
  {
    name: 'strowger_mirror_ack_seconds',
    help: 'Time from the last acknowledged frame to its acknowledgement.',
    type: 'gauge',
    read: ({ realtime }) => [{ value: (realtime.counters[abi.C_MIRROR_ACK_US] ?? 0) / 1e6 }],
  },
  coreTotal('strowger_mirror_frames_total', 'Frames sent to the standby.', abi.C_MIRROR_FRAMES),
  coreTotal('strowger_mirror_records_total', 'Records sent to the standby.', abi.C_MIRROR_RECORDS),
  coreTotal('strowger_mirror_bytes_total', 'Bytes sent to the standby.', abi.C_MIRROR_BYTES),
  coreTotal(
    'strowger_mirror_lost_total',
    'Records that were too large for a frame: the standby does not have them.',
    abi.C_MIRROR_LOST,
  ),
  coreTotal(
    'strowger_answers_held_total',
    'Answers to INVITEs that waited until the standby had the call.',
    abi.C_MIRROR_HELD,
  ),
  coreTotal(
    'strowger_answers_unmirrored_total',
    'Of these, sent without its acknowledgement because it did not come in time.',
    abi.C_UNMIRRORED,
  ),
];

const mediaMetrics: readonly Metric[] = [
  coreTotal('strowger_media_requests_total', 'Media set-ups asked for.', abi.C_MEDIA_REQUESTS),
  coreTotal('strowger_media_failed_total', 'Media set-ups that failed.', abi.C_MEDIA_FAILED),
  {
    name: 'strowger_renegotiations_total',
    help: 'INVITEs of the switch itself, to give a leg new media after the death of a media worker or process.',
    type: 'counter',
    labels: { result: 'ok, again (491 or 500: tried again), failed' },
    read: ({ realtime }) => [
      { labels: { result: 'ok' }, value: realtime.counters[abi.C_OFFERS_OK] ?? 0 },
      { labels: { result: 'again' }, value: realtime.counters[abi.C_OFFERS_AGAIN] ?? 0 },
      { labels: { result: 'failed' }, value: realtime.counters[abi.C_OFFERS_FAILED] ?? 0 },
    ],
  },
  {
    name: 'strowger_media_up',
    help: '1 while the media process answers.',
    type: 'gauge',
    read: ({ media }) => [{ value: media ? 1 : 0 }],
  },
  {
    name: 'strowger_media_legs',
    help: 'Media legs at this moment.',
    type: 'gauge',
    labels: { variant: 'plain, webrtc' },
    read: ({ media }) => [
      { labels: { variant: 'plain' }, value: media?.plainLegs ?? 0 },
      { labels: { variant: 'webrtc' }, value: media?.webrtcLegs ?? 0 },
    ],
  },
  {
    name: 'strowger_media_ports',
    help: 'Port pairs for phones.',
    type: 'gauge',
    labels: { state: 'used, max' },
    read: ({ media }) => [
      { labels: { state: 'used' }, value: media?.portsUsed ?? 0 },
      { labels: { state: 'max' }, value: media?.portsMax ?? 0 },
    ],
  },
  {
    name: 'strowger_media_packets_total',
    help: 'RTP packets of legs.',
    type: 'counter',
    labels: { direction: 'in, out' },
    read: ({ media }) => [
      { labels: { direction: 'in' }, value: media?.packetsIn ?? 0 },
      { labels: { direction: 'out' }, value: media?.packetsOut ?? 0 },
    ],
  },
  {
    name: 'strowger_media_packets_dropped_total',
    help: 'RTP packets dropped by the edge.',
    type: 'counter',
    labels: { cause: 'as the edge names it' },
    read: ({ media }) =>
      Object.entries(media?.dropped ?? {}).map(([cause, value]) => ({ labels: { cause }, value })),
  },
  {
    name: 'strowger_media_worker_restarts_total',
    help: 'mediasoup workers that died and were replaced.',
    type: 'counter',
    read: ({ media }) => [{ value: media?.workers.reduce((sum, worker) => sum + worker.restarts, 0) ?? 0 }],
  },
];

/** A number of the recorder; 0 when nothing is recorded. */
function recorderMetric(
  name: string,
  help: string,
  type: 'gauge' | 'counter',
  value: (recording: RecorderReading) => number,
): Metric {
  return {
    name: `strowger_recording_${name}`,
    help,
    type,
    read: ({ recording }) => [{ value: recording ? value(recording) : 0 }],
  };
}

const recordingMetrics: readonly Metric[] = [
  {
    name: 'strowger_recording_active',
    help: '1 while the events of the core are recorded.',
    type: 'gauge',
    read: ({ recording }) => [{ value: recording?.recording ? 1 : 0 }],
  },
  recorderMetric('steps_total', 'Steps of the core recorded.', 'counter', ({ steps }) => steps),
  recorderMetric('bytes_total', 'Bytes recorded, before compression.', 'counter', ({ bytes }) => bytes),
  recorderMetric('kept_bytes', 'Bytes of records in memory.', 'gauge', ({ keptBytes }) => keptBytes),
  recorderMetric(
    'lost_total',
    'Records lost because the recorder did not keep up; the first ends the recording.',
    'counter',
    ({ lost }) => lost,
  ),
  recorderMetric(
    'differences_total',
    'Steps that a second core in the recorder did otherwise; there should be none.',
    'counter',
    ({ differences }) => differences,
  ),
  recorderMetric(
    'files_total',
    'Files finished on request or at a failure.',
    'counter',
    ({ files }) => files,
  ),
];

/** A number of the journal; 0 when there is none. */
function journalMetric(
  name: string,
  help: string,
  type: 'gauge' | 'counter',
  value: (journal: JournalReading) => number,
): Metric {
  return {
    name: `strowger_journal_${name}`,
    help,
    type,
    read: ({ journal }) => [{ value: journal ? value(journal) : 0 }],
  };
}

const journalMetrics: readonly Metric[] = [
  journalMetric(
    'ok',
    '1 while changed bindings are written to store.file; 0 while that fails, or there is none.',
    'gauge',
    ({ ok }) => (ok ? 1 : 0),
  ),
  journalMetric('records_total', 'Records written.', 'counter', (journal) => journal.recordsWritten),
  journalMetric('bytes_total', 'Bytes of records written.', 'counter', (journal) => journal.bytesWritten),
  journalMetric('loaded', 'Records read at the start.', 'gauge', (journal) => journal.recordsLoaded),
  journalMetric('waiting', 'Changed records still to be written.', 'gauge', (journal) => journal.waiting),
  journalMetric('lag_seconds', 'Age of the oldest of them.', 'gauge', ({ lagMs }) => lagMs / 1e3),
  journalMetric(
    'write_seconds',
    'Time that the last transaction took, with its sync.',
    'gauge',
    ({ writeMs }) => writeMs / 1e3,
  ),
  journalMetric(
    'failures_total',
    'Transactions that failed; they are tried again.',
    'counter',
    ({ failures }) => failures,
  ),
  {
    name: 'strowger_journal_damaged_total',
    help: 'Damage found: files that were moved away, and records that were left out.',
    type: 'counter',
    labels: { what: 'file, record' },
    read: ({ journal }) => [
      { labels: { what: 'file' }, value: journal?.filesDamaged ?? 0 },
      { labels: { what: 'record' }, value: journal?.recordsDamaged ?? 0 },
    ],
  },
];

/** All metrics of our own, in the order of the documentation. */
export const metricTable: readonly Metric[] = [
  ...callMetrics,
  ...registrarMetrics,
  ...messageMetrics,
  ...tableMetrics,
  ...threadMetrics,
  ...overloadMetrics,
  ...availabilityMetrics,
  ...mediaMetrics,
  ...recordingMetrics,
  ...journalMetrics,
];
