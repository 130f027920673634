/** Makes banks of the core, each in a thread of its own. */
import { Worker } from 'node:worker_threads';
import type { Config } from './config/schema.ts';

/**
 * The bank for a configuration that was checked.
 * @throws what `buildBank` throws; not for a configuration that was checked.
 */
export function makeBank(config: Config): Promise<SharedArrayBuffer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./bank-worker.ts', import.meta.url), {
      workerData: config,
      name: 'bank',
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread that makes the bank ended without one')));
  });
}
