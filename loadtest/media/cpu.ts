/** CPU time of a process tree to the nanosecond: /proc/PID/stat has ticks of 10 ms, too coarse for a relay. */
import { readdirSync, readFileSync } from 'node:fs';
import { processTree } from '../../switch/test/e2e/harness/processes.ts';

/**
 * Time that the living threads of a process and its descendants have run, µs (first value of
 * /proc/PID/task/TID/schedstat). A thread that ends takes its time with it: what is measured must not end any.
 */
export function treeRunUs(rootPid: number): number {
  let ns = 0;
  for (const { pid } of processTree(rootPid)) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      ns += Number.parseInt(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'), 10);
    }
  }
  return ns / 1000;
}
