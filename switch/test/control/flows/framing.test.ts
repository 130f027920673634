import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramingError, SipFramer } from '../../../control/flows/framing.ts';

/** What a framer makes of a stream given in these chunks: messages as latin1 text, `ping` for keep-alives, the error last. */
function frame(chunks: readonly Uint8Array[], bytesMax = 65_535): string[] {
  const seen: string[] = [];
  const framer = new SipFramer(bytesMax, {
    message: (bytes) => seen.push(Buffer.from(bytes).toString('latin1')),
    ping: () => seen.push('ping'),
  });
  try {
    for (const chunk of chunks) framer.push(chunk);
    if (framer.partial) seen.push('partial');
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    seen.push(`error: ${error.message}`);
  }
  return seen;
}

const one = (text: string): string[] => frame([Buffer.from(text, 'latin1')]);

/** A message with a body of any bytes, counted in bytes. */
const message = fc
  .record({
    start: fc.constantFrom('OPTIONS sip:a@b SIP/2.0', 'SIP/2.0 200 OK', 'MESSAGE sip:ü SIP/2.0'),
    name: fc.constantFrom('Content-Length: ', 'l:', 'CONTENT-LENGTH : ', 'L \t: ', 'Content-Length:\r\n  '),
    before: fc.constantFrom('', 'Subject: l: 9\r\n', 'Subject: x\r\n l: 7\r\n', 'X-Content-Length: 3\r\n'),
    body: fc.uint8Array({ maxLength: 80 }),
    zeros: fc.constantFrom('', '00'),
  })
  .map(({ start, name, before, body, zeros }) =>
    Buffer.concat([
      Buffer.from(`${start}\r\n${before}${name}${zeros}${body.length}\r\nVia: x\r\n\r\n`),
      body,
    ]),
  );

/** Cuts bytes into chunks at any places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    chunks.push(bytes.subarray(from, end));
    from = end;
  }
  return chunks;
}

describe('framing of streams', () => {
  it('gives the same messages however the stream is cut', () => {
    const stream = fc.array(fc.tuple(message, fc.constantFrom('', '\r\n', '\r\n\r\n', '\r\n\r\n\r\n')), {
      minLength: 1,
      maxLength: 5,
    });
    const places = fc.array(fc.nat(5000), { maxLength: 40 });
    fc.assert(
      fc.property(stream, places, (parts, cuts) => {
        const bytes = Buffer.concat(parts.flatMap(([text, blank]) => [text, Buffer.from(blank)]));
        const expected = parts.flatMap(([text, blank]) => [
          text.toString('latin1'),
          ...(blank.length >= 4 ? ['ping'] : []),
        ]);
        expect(frame(cut(bytes, cuts))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same messages byte by byte', () => {
    const text = 'OPTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\nab\r\n\r\nSIP/2.0 200 OK\r\nl: 0\r\n\r\n';
    const bytes = [...Buffer.from(text)].map((byte) => Uint8Array.of(byte));
    expect(frame(bytes)).toEqual(one(text));
    expect(one(text)).toEqual([
      'OPTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\nab',
      'ping',
      'SIP/2.0 200 OK\r\nl: 0\r\n\r\n',
    ]);
  });

  it('counts bytes, not characters', () => {
    const body = Buffer.from('größer');
    const bytes = Buffer.concat([
      Buffer.from(`MESSAGE sip:a SIP/2.0\r\nContent-Length: ${body.length}\r\n\r\n`),
      body,
    ]);
    expect(frame([bytes])).toEqual([bytes.toString('latin1')]);
  });

  it('passes on a message without Content-Length, and ends', () => {
    const text = 'OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n';
    expect(one(`${text}body`)).toEqual([text, 'error: a message without Content-Length']);
  });

  it('keeps what is incomplete', () => {
    expect(one('OPTIONS sip:a SIP/2.0\r\nl: 5\r\n\r\nabcd')).toEqual(['partial']);
    expect(one('\r')).toEqual(['partial']);
    expect(one('\r\n')).toEqual([]);
  });

  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'not a SIP start line'],
    ['TLS', '\x16\x03\x01\x02\x00', 'not the start'],
    ['a bare line feed', '\nOPTIONS sip:a SIP/2.0\r\n', 'not the start'],
    ['a carriage return alone', '\rOPTIONS', 'not the start'],
    ['a length that is none', 'OPTIONS sip:a SIP/2.0\r\nl: 5x\r\n\r\n', 'not a number'],
    ['a negative length', 'OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n', 'not a number'],
    ['an empty length', 'OPTIONS sip:a SIP/2.0\r\nl:\r\n\r\n', 'not a number'],
    [
      'a length beyond all numbers',
      'OPTIONS sip:a SIP/2.0\r\nl: 99999999999999999999\r\n\r\n',
      'not a number',
    ],
    ['two lengths', 'OPTIONS sip:a SIP/2.0\r\nl: 5\r\nContent-Length: 6\r\n\r\n', 'two different'],
    ['a body too large', 'OPTIONS sip:a SIP/2.0\r\nl: 65520\r\n\r\n', 'at most 65535'],
    ['a start line without end', 'A'.repeat(9000), 'not a SIP start line'],
  ])('ends at %s', (_, text, error) => {
    const [seen = ''] = one(text);
    expect(seen).toMatch(/^error: /);
    expect(seen).toContain(error);
  });

  it('ends at headers without end', () => {
    const start = Buffer.from('OPTIONS sip:a SIP/2.0\r\n');
    const line = Buffer.from(`Subject: ${'x'.repeat(500)}\r\n`);
    expect(frame([start, ...Array.from({ length: 200 }, () => line)])).toEqual([
      'error: headers longer than 65535 bytes',
    ]);
  });

  it('never does anything else with bytes of any kind', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom(
          '\r\n',
          '\r\n\r\n',
          'OPTIONS sip:a SIP/2.0\r\n',
          'l: 3\r\n',
          'l: 99999\r\n',
          ' l: 4\r\n',
        )
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (chunks) => {
        // `frame` passes on what is not a FramingError.
        for (const seen of frame(chunks, 500)) expect(seen.length).toBeLessThanOrEqual(500);
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts the same length twice', () => {
    const text = 'OPTIONS sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 1\r\n\r\nx';
    expect(one(text)).toEqual([text]);
  });
});
