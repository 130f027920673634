import { expect, test } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { JournalQueue } from '../../journal/queue.ts';
import { splitRecords } from '../../journal/records.ts';
import { readPayload, recordOf } from './payloads.ts';

function put(queue: JournalQueue, ...records: Uint8Array[]): void {
  for (const bytes of records)
    for (const record of splitRecords(bytes, [abi.MRT_BINDING, abi.MRT_CALL])) queue.put(record);
}

const taken = (queue: JournalQueue, max = 100) => queue.take(max).flatMap(readPayload);

test('of each slot only the newest state waits, in the place of the first', () => {
  const queue = new JournalQueue();
  put(
    queue,
    recordOf(1, 1, 'a'),
    recordOf(2, 1, 'b'),
    recordOf(1, 1, 'a2'),
    recordOf(2, 1),
    recordOf(2, 2, 'c'),
  );
  put(queue, recordOf(1, 9, 'a call', abi.MRT_CALL)); // another table
  expect(queue.size).toBe(3);
  expect(taken(queue)).toEqual(['1.1 a2', '2.2 c', '1.9 a call']);
});

test('a state that comes late is not taken for the newest', () => {
  const queue = new JournalQueue();
  put(
    queue,
    recordOf(1, 2, 'new'),
    recordOf(1, 1, 'old'),
    recordOf(2, 3),
    recordOf(2, 3, 'before it was gone'),
  );
  expect(taken(queue)).toEqual(['1.2 new', '2.3 gone']);
  put(queue, recordOf(1, 1, 'old'), recordOf(2, 3, 'before it was gone'));
  expect(queue.waiting).toBe(0);
});

test('what was put is copied', () => {
  const queue = new JournalQueue();
  const bytes = recordOf(1, 1, 'kept');
  put(queue, bytes);
  bytes.fill(0);
  expect(taken(queue)).toEqual(['1.1 kept']);
});

test('a batch that fails comes again, before the rest and with what is newer', () => {
  const queue = new JournalQueue();
  put(queue, recordOf(1, 1, 'a'), recordOf(2, 1, 'b'), recordOf(3, 1, 'c'));
  expect(taken(queue, 2)).toEqual(['1.1 a', '2.1 b']);
  put(queue, recordOf(2, 1, 'b2'), recordOf(4, 1, 'd'));
  queue.failed();
  expect([queue.isBusy, queue.size]).toEqual([false, 4]);
  expect(taken(queue)).toEqual(['1.1 a', '2.1 b2', '3.1 c', '4.1 d']);
});

test('a mark is reached when all before it is written', () => {
  const queue = new JournalQueue();
  put(queue, recordOf(1, 1, 'a'), recordOf(2, 1, 'b'));
  const { mark } = queue;
  taken(queue, 1);
  queue.failed();
  taken(queue, 1);
  put(queue, recordOf(3, 1, 'later'));
  queue.done();
  expect(queue.written).toBeLessThan(mark);
  taken(queue, 1);
  queue.done();
  expect(queue.written).toBeGreaterThanOrEqual(mark);
  expect(queue.size).toBe(1);
});
