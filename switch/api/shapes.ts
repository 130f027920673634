/** Shapes of the API's answers: JSON Schema, TypeScript type and documentation in one. */
import { END_NAMES } from '../../wasm-core/sim/recording/records.ts';
import {
  choice,
  dictionary,
  flag,
  type Infer,
  list,
  nullable,
  optional,
  real,
  record,
  anyText,
  text,
  whole,
} from '../schema/builder.ts';

const time = (description: string) => anyText(`${description} RFC 3339, UTC.`);
const count = (description: string) => whole(description, { minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const bool = (description: string) => ({ ...flag(description, false), default: undefined });
const transport = (description: string) => choice(description, ['udp', 'tcp', 'tls', 'ws', 'wss']);

/** The number of a call on its node. */
export const CALL_ID_PATTERN = '^\\d{1,10}\\.\\d{1,10}$';
/** Parameter and field of that kind. */
export const callId = text('Number of the call on this node, `slot.generation`.', {
  pattern: CALL_ID_PATTERN,
  expects: 'slot.generation, such as 17.3',
});

const callProperties = {
  id: callId,
  callId: anyText('Call-ID of the INVITE.'),
  from: anyText('URI of the caller.'),
  to: anyText('URI that was called.'),
  state: choice('How far the call is.', ['invited', 'ringing', 'answered', 'ending', 'ended']),
  startedAt: time('When the INVITE came.'),
  ringingAt: nullable(time('When it rang first.')),
  answeredAt: nullable(time('When it was answered.')),
  callerTransport: transport('Transport of the caller.'),
  calleeTransport: transport('Transport of the callee.'),
  trunk: nullable(anyText('Trunk that the call goes over.')),
  anchored: bool('Media goes through the switch.'),
};

/** A running call. */
export const callSchema = record('A call.', callProperties);
/** See {@link callSchema}. */
export type Call = Infer<typeof callSchema>;

const next = nullable(anyText('Give it as `cursor` for the next page; null = this is the last.'));

/** A page of calls. */
export const callsSchema = record('Calls.', {
  total: count('Calls at this moment, whatever the filter.'),
  calls: list('One page.', callSchema),
  next,
});

/** Which node gives way to which. */
export const startedSchema = record('What has begun.', {
  from: anyText('The node that is active.'),
  to: anyText('The node that will be.'),
});

/** One stage of a call against its budget. */
export const stageSchema = record('Latency of one stage of this call.', {
  lastUs: real('Last measurement, µs.'),
  maxUs: real('Largest measurement, µs.'),
  budgetUs: real('Budget, µs.'),
  breaches: count('Measurements above the budget.'),
});
/** See {@link stageSchema}. */
export type Stage = Infer<typeof stageSchema>;

/** One media leg. */
export const legSchema = record('One leg of the media of a call.', {
  leg: count('0 = the caller, 1 + branch = a callee.'),
  variant: choice('Kind of media.', ['plain', 'webrtc']),
  transport: anyText('`udp` or `webrtc`.'),
  path: choice('Who carries its media to the other leg: the RTP edge by itself, or mediasoup.', [
    'edge',
    'mediasoup',
  ]),
  codec: nullable(anyText('Such as PCMU/8000; null before the answer.')),
  remote: nullable(anyText('Where media comes from.')),
  localPort: nullable(count('Our RTP port.')),
  packetsIn: count('RTP packets from this leg.'),
  packetsOut: count('RTP packets to this leg.'),
  lossPct: real('Packets lost on the way to the switch, percent.'),
  jitterMs: real('Interarrival jitter, ms (RFC 3550 6.4.1).'),
  rttMs: nullable(real('Round trip, ms.')),
  mos: nullable(real('Estimated mean opinion score, 1 to 4.5 (ITU-T G.107).')),
  held: bool('On hold.'),
});
/** See {@link legSchema}. */
export type Leg = Infer<typeof legSchema>;

/** A call with everything that is known of it. */
export const callDetailSchema = record('A call with its latency and its media.', {
  ...callProperties,
  latency: dictionary(
    'By stage: `queue` (a message in socket and ring), `core` (parsing, routing and rewriting a message, as the mean of its batch), `media` (media set-up), `setup` (INVITE in to INVITE out).',
    stageSchema,
  ),
  legs: list('Media legs; empty when media does not go through the switch.', legSchema),
});
/** See {@link callDetailSchema}. */
export type CallDetail = Infer<typeof callDetailSchema>;

/** A registered contact. */
export const registrationSchema = record('One contact of an address of record.', {
  aor: anyText('Address of record.'),
  contact: anyText('Contact URI.'),
  transport: transport('How the contact is reached.'),
  expiresInS: count('Seconds until it expires.'),
  source: nullable(
    anyText('Address and port that it is reached at; null for a connection without a known port.'),
  ),
  q: real('Preference, 0 to 1.'),
  userAgent: anyText('User-Agent of the REGISTER.'),
  instanceId: nullable(anyText('RFC 5626 instance.')),
});
/** See {@link registrationSchema}. */
export type Registration = Infer<typeof registrationSchema>;

/** A page of contacts. */
export const registrationsSchema = record('Registrations.', {
  total: count('Contacts at this moment, whatever the filter.'),
  registrations: list('One page.', registrationSchema),
  next,
});

/** An ended call. */
export const cdrSchema = record('Call detail record.', {
  id: anyText('Number of the record; grows.'),
  callId: anyText('Call-ID of the INVITE.'),
  from: anyText('URI of the caller.'),
  to: anyText('URI that was called.'),
  startedAt: time('When the INVITE came.'),
  ringingAt: nullable(time('When it rang first.')),
  answeredAt: nullable(time('When it was answered.')),
  endedAt: time('When it ended.'),
  durationMs: count('From answer to end, ms; 0 when it was not answered.'),
  cause: count('Final SIP status; 200 = answered.'),
  endedBy: choice('Who ended it.', ['none', 'caller', 'callee', 'operator', 'media-timeout', 'switch']),
  trunk: nullable(anyText('Trunk that the call went over.')),
  latency: dictionary('By stage, as of a running call.', stageSchema),
});
/** See {@link cdrSchema}. */
export type CallDetailRecord = Infer<typeof cdrSchema>;

/** A stage over all calls. */
export const stageLatencySchema = record('Latency of a stage since the node started.', {
  count: count('Measurements.'),
  p50Us: real('Median, µs.'),
  p99Us: real('µs.'),
  p999Us: real('µs.'),
  maxUs: real('µs.'),
  budgetUs: real('Budget of the p99, µs.'),
  breaches: count('Measurements above the budget.'),
});

/** See {@link stageLatencySchema}. */
export type StageLatency = Infer<typeof stageLatencySchema>;

/** All stages, and what is done about overload. */
export const latencySchema = record('Latency of the stages against their budgets, and overload control.', {
  stages: dictionary('By stage: `queue`, `core`, `setup`, `setup_media`, `media`.', stageLatencySchema),
  overload: record('Overload control.', {
    limitPerS: nullable(count('INVITEs and REGISTERs per second that are let in; null = no limit.')),
    shed: count('New INVITEs and REGISTERs refused because of overload.'),
    unanswered: count('Of all that was refused, what got no answer.'),
    limitedSource: count('Requests refused because their address sends too many.'),
    limitedUser: count('Requests refused because their user sends too many.'),
  }),
});

/** A page of ended calls. */
export const cdrsSchema = record('Call detail records, newest first.', {
  total: count('Records kept in memory.'),
  cdrs: list('One page.', cdrSchema),
  next,
});

/** The processes. */
export const nodesSchema = record('Processes of the switch.', {
  nodes: list(
    'Signalling nodes and the media process.',
    record('One process.', {
      id: anyText('Its name.'),
      role: choice('What it does.', ['active', 'standby', 'media']),
      pid: count('Process id; 0 = not running.'),
      epoch: count('Lease epoch; 0 = none.'),
      state: choice('How it is.', ['starting', 'running', 'draining', 'down']),
      activeSince: optional(anyText('Of the active one of a pair: since when, RFC 3339.')),
      takeoverMs: optional(real('Of the active one of a pair: how long it took to take over, ms.')),
      mirror: optional(
        record('Of the active one of a pair: what the standby has.', {
          synced: bool('It has everything.'),
          lagRecords: count('Changed records that are still to be sent.'),
          lagFrames: count('Frames that are not acknowledged yet.'),
          unmirrored: count('Answers that were sent although the standby had not acknowledged their call.'),
        }),
      ),
    }),
  ),
});

/** Whether a node is well. */
export const healthSchema = record('Health.', {
  status: choice('How it is.', ['ok', 'draining', 'starting']),
});

/** Answer to DELETE. */
export const endedSchema = record('The call is being ended.', { id: callId });

const recordingFile = record('A recording of the core (docs/recording.md).', {
  name: anyText('Name of the file.'),
  bytes: count('Its size.'),
  node: anyText('Name of the node.'),
  startedAt: time('When the file was begun.'),
  ended: choice('Why it ended. `open`: it is being written, or the node died.', END_NAMES),
  core: anyText('SHA-256 of the core that was recorded.'),
  key: anyText('Id of the key that it is encrypted with.'),
});

/** All recordings. */
export const recordingsSchema = record('Recordings of the core.', {
  recording: bool('Whether the core is being recorded now.'),
  recordings: list('Files, oldest first.', recordingFile),
});

/** Answer to POST. */
export const recordedSchema = record('The file that was written.', {
  name: anyText('Its name.'),
  bytes: count('Its size.'),
});

/** Every error. */
export const problemSchema = record('Problem document (RFC 9457).', {
  type: anyText('Always about:blank.'),
  title: anyText('Reason phrase of the status.'),
  status: count('HTTP status.'),
  detail: anyText('What went wrong.'),
  instance: anyText('Path of the request.'),
});
