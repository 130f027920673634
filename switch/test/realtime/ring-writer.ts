/** The writing thread of ring.test.ts: record n is n % 97 bytes of value n. */
import { workerData } from 'node:worker_threads';
import { RingWriter, ringNotify } from '../../realtime/ring.ts';

const { memory, records } = workerData as { memory: SharedArrayBuffer; records: number };
const writer = new RingWriter(memory);
for (let n = 0; n < records; n++) {
  const bytes = new Uint8Array(n % 97).fill(n & 255);
  while (!writer.push(bytes, 0, bytes.length)) ringNotify(memory);
  ringNotify(memory);
}
