/** The torture messages of RFC 4475 and RFC 5118, and what may become of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './repository.ts';

/** Beside the checkout, because the texts are the IETF's. */
const CORPORA = join(REPOSITORY, '../shared/corpora');

export interface TortureMessage {
  /** `rfc4475/wsinv`. */
  name: string;
  bytes: Buffer;
  /** The RFC's class: VALID, INVALID, INVALID response and so on. */
  kind: string;
  /** Remark on its transport. */
  transport: string;
  /** What may become of it, in words. */
  allowed: string;
}

/** All messages; empty where the folder is absent. */
export function tortureMessages(): TortureMessage[] {
  if (!existsSync(CORPORA)) return [];
  return [...readCorpus('rfc4475'), ...readCorpus('rfc5118')];
}

function readCorpus(folder: string): TortureMessage[] {
  const path = join(CORPORA, folder);
  const [head = '', ...rows] = readFileSync(join(path, 'verdicts.tsv'), 'utf8').trimEnd().split('\n');
  const names = head.split('\t');
  const files = new Set(readdirSync(path));
  return rows.map((row) => {
    const cells = row.split('\t');
    const cell = (name: string) => cells[names.indexOf(name)] ?? '';
    const file = cell('file');
    if (!files.has(file)) throw new Error(`${path} has no ${file}`);
    // Some bodies of RFC 5118 as published are not as long as their Content-Length says.
    const fixed = join(path, 'fixed-cl', file);
    return {
      name: `${folder}/${file.replace('.dat', '')}`,
      bytes: readFileSync(existsSync(fixed) ? fixed : join(path, file)),
      kind: cell('rfc_class'),
      transport: cell('transport_note'),
      allowed: cell('acceptable_outcomes_for_harness') || allowedByClass(cell('rfc_class')),
    };
  });
}

function allowedByClass(kind: string): string {
  return kind.startsWith('INVALID') ? '400' : 'not-400';
}

/**
 * Outcomes that a proxy has besides those of the table, which speaks of end points too. 404 and 480 say that the
 * message was read and understood and nobody is there to give the end point's answer.
 */
const PROXY_OUTCOMES: Record<string, string> = {
  'rfc4475/sdp01': '404|480|forward',
  'rfc4475/regaut01': '403|404',
  'rfc4475/unksm2': '403|404|416',
};

/**
 * Whether an outcome is allowed. `status` is the final status that came back, 100 when it was forwarded to where
 * nobody answered, 0 when nothing came.
 * The table's words: a status list; `not-400` or `forward` (anything that shows it was understood); `accepted`
 * (the same, besides a 400); `drop` or `no packet out` (nothing may come).
 */
export function isAllowed(message: TortureMessage, status: number): boolean {
  const allowed = `${message.allowed}|${PROXY_OUTCOMES[message.name] ?? ''}`;
  if (status === 0) return /drop|no packet out|dropped/.test(allowed);
  if (/no packet out|stray response/.test(allowed)) return false;
  const statuses = new Set((allowed.match(/\b[2-6]\d\d\b/g) ?? []).map(Number));
  const never400 = /not-400|never 400/.test(message.allowed) && !/^400/.test(message.allowed);
  if (status === 400) return statuses.has(400) && !never400;
  return statuses.has(status) || /not-400|forward|accepted|one REGISTER|by policy/.test(allowed);
}
