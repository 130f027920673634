/** A grammar of valid SIP requests for property tests (RFC 3261 25.1): each as text, with the meaning put into it. */
import fc from 'fast-check';

export interface Meaning {
  method: string;
  user: string;
  fromTag: string;
  callId: string;
  cseq: number;
  vias: string[];
  subject: string | null;
  body: string;
}

const chars = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });

const token = chars("abcXYZ019-.!%*_+`'~", 1, 12);
const word = chars('abcXYZ019-.!%*_+`\'~()<>:\\"/[]?{}', 1, 20);
const host = fc.oneof(
  fc.constantFrom('example.com', 'a-b.c', '192.0.2.1', '[2001:db8::1]', '[::ffff:192.0.2.1]', 'x.invalid'),
  chars('abc019', 1, 10).map((label) => `${label}.test`),
);
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const white = fc.constantFrom('', ' ', '  ', '\t', '\r\n ', ' \r\n\t');
const quoted = chars('abc ,;<>@=:\\', 0, 12).map((text) => `"${text.replaceAll('\\', '\\\\')}"`);
const param = fc
  .tuple(token, fc.option(fc.oneof(token, quoted), { nil: undefined }))
  .map(([name, value]) => (value === undefined ? `;x${name}` : `;x${name}=${value}`));
const params = fc.array(param, { maxLength: 3 }).map((list) => list.join(''));

const via = fc
  .record({
    transport: fc.constantFrom('UDP', 'TCP', 'WS', 'SCTP', 'udp'),
    host,
    port,
    params,
    branch: token,
    gap: fc.constantFrom('', ' '),
  })
  .map(
    ({ transport, host: at, port: p, params: more, branch, gap }) =>
      `SIP${gap}/${gap}2.0${gap}/${gap}${transport} ${at}${p === undefined ? '' : `:${p}`}${more};branch=z9hG4bK${branch}`,
  );

const display = fc.oneof(
  fc.constant(''),
  quoted.map((text) => `${text} `),
  token.map((text) => `${text} `),
);

/** Names of a header in its forms and cases. */
const named = (...forms: string[]) =>
  fc.constantFrom(...forms.flatMap((form) => [form, form.toLowerCase(), form.toUpperCase()]));

interface Built {
  text: string;
  meaning: Meaning;
}

/** Requests to a user `1000` to `1009` of strowger.test that a proxy forwards. */
export const validRequest: fc.Arbitrary<Built> = fc
  .record({
    method: fc.constantFrom('MESSAGE', 'INVITE', 'OPTIONS', 'SUBSCRIBE', 'INFO', 'FROB'),
    user: fc.constantFrom('1002'),
    fromTag: token,
    callId: fc
      .tuple(word, fc.option(word, { nil: undefined }))
      .map(([a, b]) => (b === undefined ? a : `${a}@${b}`)),
    cseq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    vias: fc.array(via, { minLength: 1, maxLength: 4 }),
    viasOnOneLine: fc.boolean(),
    viaName: named('Via', 'v'),
    fromName: named('From', 'f'),
    toName: named('To', 't'),
    callIdName: named('Call-ID', 'i'),
    lengthName: named('Content-Length', 'l'),
    display,
    fromParams: params,
    subject: fc.option(
      chars('abc xyz,;:"', 1, 30).map((text) => text.trim() || 'x'),
      { nil: null },
    ),
    subjectName: named('Subject', 's'),
    extra: fc.array(fc.tuple(token, chars('abc ,;:"<>', 0, 20)), { maxLength: 4 }),
    body: fc.string({ maxLength: 60 }),
    white,
    order: fc.integer({ min: 0, max: 1000 }),
  })
  .map((parts) => {
    const { white: w, body } = parts;
    const viaLines = parts.viasOnOneLine
      ? [`${parts.viaName}:${w}${parts.vias.join(`${w},${w}`)}`]
      : parts.vias.map((value) => `${parts.viaName}: ${value}`);
    const others = [
      `${parts.fromName}:${w}${parts.display}<sip:1001@strowger.test>${parts.fromParams};tag=${parts.fromTag}`,
      `${parts.toName} : <sip:${parts.user}@strowger.test>`,
      `${parts.callIdName}:${w}${parts.callId}`,
      `CSeq:${w}${parts.cseq} ${parts.method}`,
      'Max-Forwards: 70',
      'Contact: <sip:1001@192.0.2.1>',
      `${parts.lengthName}: ${new TextEncoder().encode(body).length}`,
      ...(parts.subject === null ? [] : [`${parts.subjectName}: ${parts.subject}`]),
      ...parts.extra.map(([name, value]) => `X-${name}: ${value}`),
    ];
    const at = parts.order % others.length;
    const rotated = [...others.slice(at), ...others.slice(0, at)];
    const text = [
      `${parts.method} sip:${parts.user}@strowger.test SIP/2.0`,
      ...viaLines,
      ...rotated,
      '',
      body,
    ].join('\r\n');
    const { method, user, fromTag, callId, cseq, vias, subject } = parts;
    return { text, meaning: { method, user, fromTag, callId, cseq, vias, subject, body } };
  });
