/**
 * The configuration: its JSON Schema, its type and its documentation in one place.
 * docs/reference/config.md is generated from it (see ../../reference/).
 */
import {
  choice,
  flag,
  type Infer,
  list,
  optional,
  record,
  section,
  text,
  whole,
} from '../../schema/builder.ts';
import { LEASE_MS } from '../../mirror/lease-time.ts';
import { ADVERTISE, hostPort, listener, route, token, trunk, user } from './schema-items.ts';

/** The whole configuration. */
export const configSchema = record('Configuration of Strowger.', {
  name: text('Name of this node, in logs, metrics and the API.', {
    default: 'strowger',
    maxLength: 64,
    pattern: '^[A-Za-z0-9_.-]+$',
    expects: 'letters, digits, ".", "_" and "-"',
  }),
  domains: list(
    'SIP domains served here: requests to other domains are not looked up among the users.',
    text('Host name or IP address.', {
      examples: ['example.net'],
      maxLength: 253,
      pattern: '^[A-Za-z0-9._-]+$|^\\[?[0-9A-Fa-f:.]+\\]?$',
      expects: 'a host name or an IP address',
    }),
    { minItems: 1, maxItems: 64 },
  ),
  realm: optional(
    text('Realm of digest authentication. Default: the first domain.', {
      maxLength: 128,
      pattern: '^[ !#-\\[\\]-~]+$',
      expects: 'up to 128 printable ASCII characters, but not " or \\',
    }),
  ),
  secret: optional(
    text(
      'Key of the signed cookies and nonces. Default: a new one at every start, which survives a crash of the node but not of the supervisor.',
      {
        pattern: '^[0-9a-f]{32}$',
        expects: '32 hex digits',
        secret: true,
      },
    ),
  ),
  listen: section('Where SIP is served.', {
    udp: list('SIP over UDP.', listener, { default: ['127.0.0.1:5060'], maxItems: 7 }),
    tcp: list('SIP over TCP.', listener, { default: ['127.0.0.1:5060'], maxItems: 7 }),
  }),
  http: section('Web server: SIP over WebSocket, API, metrics, pages.', {
    listen: { ...hostPort('Address to listen on.'), default: '127.0.0.1:8080' },
    advertise: optional(hostPort(ADVERTISE)),
    certificate: optional(
      text(
        'PEM file with the certificate chain, relative to this file. With it and `key`, the server speaks HTTPS and WSS, which browsers require for the microphone anywhere but on localhost.',
        { maxLength: 4096 },
      ),
    ),
    key: optional(text('PEM file with the private key, relative to this file.', { maxLength: 4096 })),
    path: text('Path of SIP over WebSocket (RFC 7118).', {
      default: '/sip',
      pattern: '^/[A-Za-z0-9/_-]*$',
      expects: 'a path such as /sip',
    }),
    origins: list(
      'Origins of pages that may open a SIP WebSocket, besides the page served here. `*` allows all. Clients that send no Origin are not browsers and are let in.',
      text('scheme://host[:port] or *.', {
        pattern: '^(\\*|https?://[^/\\s]+)$',
        expects: 'scheme://host[:port] or *',
      }),
      { maxItems: 256, examples: [['https://phone.example.net']] },
    ),
    tokens: list('API tokens. Without any, the API is closed.', token, { maxItems: 256 }),
    metrics: choice(
      '`token`: /metrics needs an API token like the API; `open`: it needs none (for a listener only the monitoring can reach).',
      ['token', 'open'],
      'token',
    ),
  }),
  users: list('Users who may register and call.', user),
  trusted: list(
    'Networks whose requests need no digest and have no per-source limits.',
    text('CIDR.', { pattern: '^[0-9a-fA-F:.]+/\\d{1,3}$', expects: 'address/bits, such as 192.0.2.0/24' }),
    { maxItems: 256, examples: [['10.1.0.0/16']] },
  ),
  trunks: list(
    'SIP peers. Requests from their addresses need no digest; over TCP, any connection from such an address counts, so no user may share it.',
    trunk,
    { maxItems: 256 },
  ),
  routes: list('Routes by number prefix.', route),
  registration: section('Registrations (RFC 3261 10).', {
    expiresMinS: whole('Shorter ones are answered 423.', { default: 60, minimum: 1, maximum: 86_400 }),
    expiresDefaultS: whole('When the phone asks for none.', { default: 3600, minimum: 1, maximum: 604_800 }),
    expiresMaxS: whole('Longer ones are shortened to this.', { default: 3600, minimum: 1, maximum: 604_800 }),
    contactsMax: whole('Contacts of one address of record.', { default: 8, minimum: 1, maximum: 64 }),
    digest: list<'sha-256' | 'md5'>(
      'Algorithms that users are asked to authenticate with, most preferred first (RFC 8760); others are refused. Many phones fail when they see sha-256, even beside md5.',
      choice('Algorithm of digest authentication.', ['sha-256', 'md5'], 'md5'),
      { default: ['sha-256', 'md5'], minItems: 1, maxItems: 2 },
    ),
    nonceTtlS: whole('How long a digest nonce is good.', { default: 300, minimum: 10, maximum: 86_400 }),
  }),
  timers: section('Timers of SIP transactions (RFC 3261 17.1.1.1, 16.6).', {
    t1Ms: whole('Estimate of the round trip.', { default: 500, minimum: 10, maximum: 5_000 }),
    t2Ms: whole('Longest retransmission interval.', { default: 4_000, minimum: 100, maximum: 60_000 }),
    t4Ms: whole('How long a message stays in the network.', {
      default: 5_000,
      minimum: 100,
      maximum: 60_000,
    }),
    timerCS: whole('How long a called party may ring. RFC 3261 asks for more than 180.', {
      default: 181,
      minimum: 1,
      maximum: 3_600,
    }),
  }),
  calls: section('What applies to every call.', {
    durationMaxS: whole('The switch ends longer calls; 0 = no limit.', {
      default: 0,
      minimum: 0,
      maximum: 2_592_000,
    }),
    forkMax: whole('Contacts that one INVITE is sent to at most.', { default: 8, minimum: 1, maximum: 16 }),
    retryAfterS: whole('Retry-After of a 503 when a table is full or the node drains.', {
      default: 5,
      minimum: 1,
      maximum: 3_600,
    }),
    drainS: whole(
      'How long to wait for calls to end when the switch is stopped. A second Ctrl-C stops at once.',
      { default: 30, minimum: 0, maximum: 86_400 },
    ),
  }),
  limits: section(
    'Sizes of tables and queues. Memory is reserved at start and used as they fill: about 0.5 KB for a binding, 2.9 KB for a ringing call, 1.2 KB for an answered one. What does not fit is answered 503.',
    {
      calls: whole('Calls at once.', { default: 2_000, minimum: 1, maximum: 1_000_000 }),
      transactions: whole(
        'INVITEs being set up at once. Each stays for 32 s after its answer (64 times t1Ms, RFC 6026), so this is 32 s times the calls per second, and more.',
        {
          default: 20_000,
          minimum: 1,
          maximum: 1_000_000,
        },
      ),
      bindings: whole('Registered contacts.', { default: 20_000, minimum: 1, maximum: 4_000_000 }),
      pendingMedia: whole('Messages waiting for media set-up.', {
        default: 512,
        minimum: 1,
        maximum: 65_536,
      }),
      connections: whole('TCP and WebSocket connections together.', {
        default: 10_000,
        minimum: 1,
        maximum: 1_000_000,
      }),
      connectionsPerSource: whole('Connections from one address that is not trusted.', {
        default: 1_000,
        minimum: 1,
        maximum: 1_000_000,
      }),
      httpConnections: whole('HTTP connections at once, WebSockets not counted.', {
        default: 2_000,
        minimum: 1,
        maximum: 1_000_000,
      }),
      messageBytes: whole('Largest SIP message on a connection; a larger one closes it.', {
        default: 65_535,
        minimum: 1_300,
        maximum: 65_535,
      }),
      connectionIdleS: whole(
        'A TCP connection without traffic is closed after this. Keep it above registration.expiresMaxS, or phones that send no keep-alives become unreachable.',
        { default: 3_900, minimum: 8, maximum: 86_400 },
      ),
      webSocketIdleS: whole("A browser that doesn't answer pings for this long is gone.", {
        default: 60,
        minimum: 8,
        maximum: 960,
      }),
      messageTimeoutS: whole('A message must be complete this long after its first byte.', {
        default: 10,
        minimum: 1,
        maximum: 300,
      }),
      connectTimeoutMs: whole('Longest wait for an outgoing connection.', {
        default: 4_000,
        minimum: 100,
        maximum: 60_000,
      }),
      sendBufferBytes: whole('Bytes that may wait to be sent on one connection; beyond, it is closed.', {
        default: 1_048_576,
        minimum: 65_536,
        maximum: 67_108_864,
      }),
      ringBytes: whole('Size of each ring between the control and the realtime thread; a power of two.', {
        default: 8_388_608,
        minimum: 262_144,
        maximum: 268_435_456,
      }),
      cdrs: whole('Call detail records kept in memory.', { default: 10_000, minimum: 0, maximum: 1_000_000 }),
    },
  ),
  media: section('Media: relaying audio through the switch.', {
    anchor: flag(
      "Audio goes through the switch. Without it, the parties exchange audio directly and browsers can't talk to phones.",
      true,
    ),
    address: text('IP address that media ports are opened on.', { default: '127.0.0.1' }),
    announcedAddress: optional(
      text(
        'IP address written into SDP, when it differs (behind NAT). Required when the address is 0.0.0.0 or ::.',
      ),
    ),
    portMin: whole('First RTP port of phones; each leg takes an even port and the next.', {
      default: 20_000,
      minimum: 1_024,
      maximum: 65_534,
    }),
    portMax: whole('Last RTP port of phones.', { default: 29_999, minimum: 1_025, maximum: 65_535 }),
    webrtcPort: whole('UDP port (and TCP port) of browsers; worker n uses this port + n.', {
      default: 44_400,
      minimum: 1_024,
      maximum: 65_535,
    }),
    plainToPlain: choice(
      'Who carries audio between two phones: `edge`, the RTP edge by itself, with less CPU and without the hop to mediasoup and back; or `mediasoup`. Where a browser takes part it is always mediasoup.',
      ['edge', 'mediasoup'],
      'edge',
    ),
    batchWait: choice(
      'Whether the RTP edge lets packets gather at high load, for up to a quarter of budgets.packetUs (1 ms at most), to save CPU: `auto` does when enough come, `off` never does.',
      ['auto', 'off'],
      'auto',
    ),
    workers: whole('mediasoup workers.', { default: 1, minimum: 1, maximum: 64 }),
    timeoutS: whole('A call without media for this long is ended; 0 = never.', {
      default: 120,
      minimum: 0,
      maximum: 86_400,
    }),
    setupTimeoutMs: whole('Longest wait for media set-up; the call is then refused with 503.', {
      default: 2_000,
      minimum: 10,
      maximum: 30_000,
    }),
  }),
  availability: section('What goes on when a process dies.', {
    standby: flag(
      'Run a second node that follows the first one and takes over when that dies or hangs. Linux only.',
      false,
    ),
    leaseMs: whole(
      'How long the active node may serve from when it asked for that; it asks every fifth of this. A node that hangs is replaced after 1.25 times this. The media process grants it.',
      { default: LEASE_MS, minimum: 100, maximum: 10_000 },
    ),
    mirrorWaitMs: whole(
      'How long the answer to an INVITE waits for the standby to acknowledge the call; it is sent then, and counted as unmirrored.',
      { default: 5, minimum: 1, maximum: 1_000 },
    ),
  }),
  store: section('What survives when all nodes end: registrations, so that phones need not register again.', {
    file: optional(
      text(
        'Database file (SQLite) on a local disk, relative to this file; made when there is none. Both nodes of a pair use it in turn, no other switch may. Default: none, registrations end with the switch.',
        { minLength: 1, maxLength: 4096, examples: ['data/registrations.db'] },
      ),
    ),
    sync: choice(
      'When a change is safe from a loss of power: `full`, when it is written, 20 to 40 ms after the answer to the phone; `normal`, with one of the next; `off`, when the system likes to. What was written survives the end of a process with each of them.',
      ['full', 'normal', 'off'],
      'full',
    ),
  }),
  overload: section(
    'Overload control: who may begin calls and registrations. Requests within dialogs and calls to emergency numbers are never refused here; what is refused gets 503 with Retry-After.',
    {
      targetUs: whole(
        'New INVITEs and REGISTERs are refused, as many as needed, while every message waits longer than this for 100 ms; 0 = never.',
        { default: 5_000, minimum: 0, maximum: 1_000_000 },
      ),
      sourcePerS: whole(
        'Requests outside of dialogs per second from one address that is neither trusted nor a trunk; 0 = no limit.',
        { default: 500, minimum: 0, maximum: 1_000_000 },
      ),
      sourceBurst: whole('The same at once.', { default: 2_000, minimum: 1, maximum: 10_000_000 }),
      userPerS: whole('Requests outside of dialogs per second of one user; 0 = no limit.', {
        default: 20,
        minimum: 0,
        maximum: 1_000_000,
      }),
      userBurst: whole('The same at once.', { default: 100, minimum: 1, maximum: 10_000_000 }),
      sources: whole(
        'Addresses, and users, whose rate is followed at a time; rounded up to a power of two.',
        { default: 16_384, minimum: 16, maximum: 16_777_216 },
      ),
      emergency: list(
        'Emergency numbers, at most 16.',
        text('Number as dialled, the user part of the Request-URI.', { pattern: '^[0-9*#+]{1,15}$' }),
        { maxItems: 16, default: ['112', '911'] },
      ),
    },
  ),
  realtime: section('The realtime thread, which receives, switches and sends SIP over UDP.', {
    batchWait: choice(
      'Whether it lets messages gather at high load, for up to half of budgets.queueUs, to save CPU: `auto` does when enough come, `off` never does.',
      ['auto', 'off'],
      'auto',
    ),
    scheduling: choice(
      "How the system schedules it: `batch` (SCHED_BATCH) doesn't interrupt other programs on its core when it wakes up, which saves CPU when messages come in bursts or are many; `normal` does, which is quicker for few that come one by one; `auto` follows the traffic.",
      ['auto', 'batch', 'normal'],
      'auto',
    ),
    kernelStamps: flag(
      'Measure the wait of datagrams from the time that the kernel received them. Without it, a wait begins when the thread takes a datagram, overload is not noticed, and datagrams cost a little less.',
      true,
    ),
  }),
  budgets: section('Latency budgets of the stages (p99). A breach is counted and shown on the call.', {
    queueUs: whole('Datagram waiting in socket and ring.', { default: 100, minimum: 1, maximum: 1_000_000 }),
    coreUs: whole('Parsing, routing and rewriting one message.', {
      default: 20,
      minimum: 1,
      maximum: 1_000_000,
    }),
    mediaUs: whole('Media set-up for an INVITE or an answer.', {
      default: 5_000,
      minimum: 1,
      maximum: 10_000_000,
    }),
    mirrorUs: whole('Acknowledgement of a mirrored record.', {
      default: 5_000,
      minimum: 1,
      maximum: 1_000_000,
    }),
    setupUs: whole('INVITE in to INVITE out, without media.', {
      default: 300,
      minimum: 1,
      maximum: 10_000_000,
    }),
    setupMediaUs: whole('INVITE in to INVITE out, with media.', {
      default: 10_000,
      minimum: 1,
      maximum: 10_000_000,
    }),
    packetUs: whole('One RTP packet through the edge and mediasoup.', {
      default: 1_000,
      minimum: 1,
      maximum: 1_000_000,
    }),
  }),
  recording: section(
    'Recording of all that enters and leaves the signalling core, so that it can be replayed (docs/recording.md). Recordings are encrypted.',
    {
      mode: choice(
        '`memory`: the last `bytesMax` are kept in memory, and written to a file when an operator asks for it or the core fails; `file`: all is written to files.',
        ['off', 'memory', 'file'],
        'off',
      ),
      folder: text('Folder of the files, relative to this file; each node has its own.', {
        default: 'recordings',
        minLength: 1,
        maxLength: 4096,
      }),
      bytesMax: whole(
        '`memory`: what is kept, 8 KB for a short call without media; `file`: size of a file without the state that it begins with, after which the next one is begun.',
        { default: 67_108_864, minimum: 1_048_576, maximum: 1_073_741_824 },
      ),
      files: whole(
        'Files in the folder. The oldest one makes room for the next, unless it ended with a failure of the core: those are kept until somebody removes them.',
        { default: 16, minimum: 1, maximum: 1_000 },
      ),
      crashFolder: text(
        'Folder for what is left of a core that has trapped, relative to this file: a recording that ends with the trap. Written in every mode, at most `files` of them.',
        { default: 'crash', minLength: 1, maxLength: 4096 },
      ),
      keyFile: optional(
        text(
          'File with the key of recordings, 64 hex digits, relative to this file; made when there is none. Default: `recording.key` in the folder.',
          { maxLength: 4096 },
        ),
      ),
    },
  ),
  logs: section('Logs, on standard error.', {
    level: choice(
      'Least severe level written.',
      ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
      'info',
    ),
    pretty: flag('One readable line per entry instead of JSON.', false),
    perSecond: whole(
      'Entries about rejected or malformed messages written per second; the rest is counted.',
      { default: 50, minimum: 0, maximum: 100_000 },
    ),
  }),
});

/** A valid configuration with every default filled in. */
export type Config = Infer<typeof configSchema>;
/** An item of `users`. */
export type UserEntry = Config['users'][number];
/** An item of `http.tokens`. */
export type TokenEntry = Config['http']['tokens'][number];
/** An item of `trunks`. */
export type TrunkEntry = Config['trunks'][number];
/** An item of `listen.udp` and `listen.tcp`. */
export type ListenEntry = Config['listen']['udp'][number];
