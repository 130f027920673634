/** Pages of records from the core: filtered here, in a bounded number of questions. */
import { CoreUnavailableError, type QueryPage } from '../control/core-link.ts';
import { decodeRecords } from '../../wasm-core/host/records.ts';
import { text, whole } from '../schema/builder.ts';
import { Problem } from './problem.ts';

/** Most entries of a page. */
export const PAGE_MAX = 500;

/** Query parameters of every list. */
export const pageParameters = {
  limit: whole('Most entries of the page.', { default: 100, minimum: 1, maximum: PAGE_MAX }),
  cursor: {
    ...text('`next` of the page before.', {
      pattern: '^\\d{1,10}$',
      expects: 'a cursor from an earlier answer',
    }),
    default: undefined,
  },
};

/** Records per question, and questions per page: a filter that fits nothing must not walk a million records at once. */
const RECORDS_PER_QUERY = 64;
const QUERIES_MAX = 64;

/** One page of a list. */
export interface Page<T> {
  total: number;
  items: T[];
  /** Cursor of the next page, null = none. */
  next: string | null;
}

/** Which page is wanted, and how to get it. */
export interface PageRequest<T> {
  /** Asks the core for up to `limit` records from `cursor`. */
  ask(cursor: number, limit: number): Promise<QueryPage>;
  decode(bytes: Uint8Array): T;
  keep(item: T): boolean;
  cursor: string | undefined;
  limit: number;
}

/** Collects one page. A page may be shorter than `limit` although there is a next one. @throws Problem 503 */
export async function collectPage<T>(request: PageRequest<T>): Promise<Page<T>> {
  const items: T[] = [];
  let cursor = Number(request.cursor ?? 0);
  let total = 0;
  for (let i = 0; i < QUERIES_MAX; i++) {
    const wanted = Math.min(RECORDS_PER_QUERY, request.limit - items.length);
    const page = await request.ask(cursor, wanted).catch(unavailable);
    total = page.total;
    items.push(
      ...decodeRecords(page.payload, page.count, request.decode).filter((item) => request.keep(item)),
    );
    if (page.next === null) return { total, items, next: null };
    cursor = page.next;
    if (items.length >= request.limit) break;
  }
  return { total, items, next: String(cursor) };
}

/** Turns a core that doesn't answer into 503. */
export function unavailable(error: unknown): never {
  if (error instanceof CoreUnavailableError)
    throw new Problem(503, `The signalling core gives no answer: ${error.message}.`);
  throw error;
}
