import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Parser } from '../support/parser.ts';

/** The messages of RFC 4475 and RFC 5118, beside the checkout because their texts are the IETF's. */
const CORPORA = join(dirname(fileURLToPath(import.meta.url)), '../../../../shared/corpora');
const present = existsSync(CORPORA);
if (!present) console.warn(`SKIPPED: the messages of RFC 4475 and 5118 are not in ${CORPORA}`);

/** Verdicts that a parser reaches by itself where the table leaves a choice, or speaks of another layer. */
const DECIDED: Record<string, number> = {
  // RFC 4475: 400, or liberal
  ltgtruri: 400,
  lwsruri: 400,
  lwsstart: 400,
  trws: 400,
  escruri: 400,
  quotbal: 400,
  badaspec: 400,
  baddn: 400,
  insuf: 400,
  mismatch02: 501,
  // parsed here, refused by whoever reads that header, or not at all
  baddate: 200,
  badbranch: 200,
  regbadct: 200,
  // the code or CSeq number of a response is malformed
  scalarlg: 0,
  bigcode: 0,
};

interface Row {
  name: string;
  bytes: Buffer;
  verdict: number;
}

function rows(folder: string): Row[] {
  if (!present) return [];
  const path = join(CORPORA, folder);
  const [head = '', ...lines] = readFileSync(join(path, 'verdicts.tsv'), 'utf8').trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    const file = cells[names.indexOf('file')]!;
    const name = file.replace('.dat', '');
    const fixed = join(path, 'fixed-cl', file);
    const bytes = readFileSync(existsSync(fixed) ? fixed : join(path, file));
    return { name, bytes, verdict: DECIDED[name] ?? said(cells, names) };
  });
}

/** The parser's verdict by the table: what another layer answers (404, 416, 420, 483 and so on) parses. */
function said(cells: string[], names: string[]): number {
  if (cells[names.indexOf('rfc_class')]!.startsWith('INVALID')) {
    return (cells[names.indexOf('acceptable_outcomes_for_harness')] ?? '').startsWith('505') ? 505 : 400;
  }
  return ['multi01', 'mcl01'].includes(cells[0]!.replace('.dat', '')) ? 400 : 200;
}

describe.skipIf(!present)('RFC 4475', () => {
  const parser = new Parser();
  const byName = new Map(rows('rfc4475').map((row) => [row.name, row.bytes]));
  const parse = (name: string) => expect(parser.parse(byName.get(name)!)).toBe(0);

  it.each(rows('rfc4475'))('$name: $verdict', ({ bytes, verdict }) => {
    expect(parser.verdict(bytes)).toBe(verdict);
  });

  it('wsinv is understood', () => {
    parse('wsinv');
    expect(parser.get('maxForwards')).toBe(68);
    expect(parser.get('cseqNumber')).toBe(9);
    expect(parser.span('viaHost')).toBe('192.0.2.2');
    expect(parser.span('viaBranch')).toBe('390skdjuw');
    expect(parser.span('toTag')).toBe('1918181833n');
    expect(parser.span('fromTag')).toBe('98asjd8');
    expect(parser.values('H_VIA')).toHaveLength(2); // one line has two
  });

  it('semiuri has its user part', () => {
    parse('semiuri');
    expect(parser.call('parseUri', parser.get('uriPtr'), parser.get('uriLen'))).toBe(1);
    expect(parser.span('uUser')).toBe('user;par=u%40example.net');
    const length = parser.call(
      'unescapeInto',
      parser.scratch(0),
      parser.get('uUserPtr'),
      parser.get('uUserLen'),
    );
    expect(parser.text(parser.scratch(0), length)).toBe('user;par=u@example.net');
  });

  it('esc02 is no REGISTER', () => {
    parse('esc02');
    expect(parser.get('methodId')).toBe(0);
  });

  it('dblreq ends where its Content-Length says', () => {
    parse('dblreq');
    expect(parser.get('bodyLen')).toBe(0);
    expect(parser.text(parser.get('msgPtr'), parser.get('msgLen'))).not.toContain('INVITE');
  });

  it('longreq has all its Via values', () => {
    parse('longreq');
    expect(parser.values('H_VIA').flatMap((value) => value.split(','))).toHaveLength(34);
  });
});

describe.skipIf(!present)('RFC 5118', () => {
  const parser = new Parser();

  it.each(rows('rfc5118'))('$name: $verdict', ({ bytes, verdict }) => {
    expect(parser.verdict(bytes)).toBe(verdict);
  });

  it.each([
    ['port-ambiguous', '2001:db8::10:5070', 0],
    ['port-unambiguous', '2001:db8::10', 5070],
  ])('%s: host %s, port %i', (name, host, port) => {
    expect(parser.parse(rows('rfc5118').find((row) => row.name === name)!.bytes)).toBe(0);
    expect(parser.call('parseUri', parser.get('uriPtr'), parser.get('uriLen'))).toBe(1);
    expect(parser.span('uHost')).toBe(host);
    expect(parser.get('uPort')).toBe(port);
  });
});
