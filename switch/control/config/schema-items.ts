/** Parts of the configuration's schema: listeners, and the items of its lists. */
import { choice, flag, list, optional, record, text, textOr, whole } from '../../schema/builder.ts';

const HOST_PORT = '^(\\[[0-9a-fA-F:.]+\\]|[^\\s:/\\[\\]]+):\\d{1,5}$';
const HOST_PORT_HINT = 'host:port, such as 127.0.0.1:5060 or [::1]:5060';

/** `host:port`. */
export const hostPort = (description: string) =>
  text(description, { pattern: HOST_PORT, expects: HOST_PORT_HINT });

/** What `advertise` is for. */
export const ADVERTISE =
  'host:port that others can reach this listener by; written into Via and Record-Route. Required when the address is 0.0.0.0 or ::.';

/** An item of `listen.udp` and `listen.tcp`. */
export const listener = textOr(
  hostPort('Address to listen on.'),
  record('Address to listen on: `host:port`, or an object when others must use another address.', {
    address: hostPort('Address to listen on. A host name is resolved at start.'),
    advertise: optional(hostPort(ADVERTISE)),
  }),
);

/** An item of `users`. */
export const user = record('One user, or a range of users.', {
  user: optional(
    text('User part of the address of record, and user name for digest.', {
      examples: ['1001'],
      maxLength: 128,
      pattern: '^[!-~]+$',
      expects: 'up to 128 printable ASCII characters without spaces',
    }),
  ),
  range: optional(
    text('First and last number of a range of users, both included.', {
      pattern: '^\\d{1,15}-\\d{1,15}$',
      expects: 'first-last with as many digits each, such as 1001-1010',
    }),
  ),
  password: optional(
    text('Password; `<user>` in it stands for the user part.', { secret: true, examples: ['demo-<user>'] }),
  ),
  ha1: optional(
    record('Instead of a password: H(user:realm:password) as lower-case hex (RFC 7616 3.4.2).', {
      md5: optional(
        text('MD5, 32 hex digits.', { pattern: '^[0-9a-f]{32}$', expects: '32 hex digits', secret: true }),
      ),
      sha256: optional(
        text('SHA-256, 64 hex digits.', {
          pattern: '^[0-9a-f]{64}$',
          expects: '64 hex digits',
          secret: true,
        }),
      ),
    }),
  ),
});

/** An item of `http.tokens`. */
export const token = record('One API token. Exactly one of `token`, `sha256` and `generate`.', {
  name: text('Who or what uses it; appears in logs, the token never does.', { examples: ['grafana'] }),
  token: optional(
    text('The token itself.', {
      minLength: 16,
      pattern: '^[A-Za-z0-9._~+/=-]+$',
      expects: 'at least 16 of the characters a bearer token may have (RFC 6750 2.1)',
      secret: true,
    }),
  ),
  sha256: optional(
    text('SHA-256 of the token, so that the configuration holds no secret.', {
      pattern: '^[0-9a-f]{64}$',
      expects: '64 hex digits',
    }),
  ),
  generate: optional(flag('Make a new token at every start and print it in the ready line.', false)),
});

/** An item of `trunks`. */
export const trunk = record('A SIP peer that numbers are routed to.', {
  name: text('Name, referred to by routes and shown on calls.', {
    maxLength: 32,
    pattern: '^[A-Za-z0-9_.-]+$',
    expects: 'letters, digits, ".", "_" and "-"',
  }),
  gateways: list(
    'Its addresses. A request from one of them is recognised as coming from the trunk and needs no digest.',
    record('One gateway.', {
      address: text('IP address and port.', {
        pattern: HOST_PORT,
        expects: 'address:port, such as 192.0.2.10:5060',
      }),
      transport: choice('Transport to reach it.', ['udp', 'tcp'], 'udp'),
      priority: whole('Lower is tried first.', { default: 0, minimum: 0, maximum: 255 }),
    }),
    { minItems: 1, maxItems: 16 },
  ),
});

/** An item of `routes`. */
export const route = record(
  'Calls whose number begins with `prefix` go to `trunk`; the longest matching prefix decides.',
  {
    prefix: text('Digits, optionally led by +.', {
      pattern: '^\\+?[0-9*#]{1,31}$|^\\+$',
      expects: 'digits, such as 0049 or +49',
      maxLength: 32,
    }),
    trunk: text('Name of a trunk.', { maxLength: 32 }),
    strip: whole('Characters to remove from the front of the number.', {
      default: 0,
      minimum: 0,
      maximum: 32,
    }),
    prepend: optional(
      text('Characters to put in front, after stripping.', {
        pattern: '^\\+?[0-9*#]{0,31}$',
        expects: 'digits, such as 0049 or +49',
        maxLength: 32,
      }),
    ),
  },
);
