/** Memory of a process tree, from /proc/PID/smaps_rollup and /proc/PID/status (proc(5)). */
import { readFileSync } from 'node:fs';
import { processTree } from '../../switch/test/e2e/harness/processes.ts';

export interface Memory {
  /** Proportional set sizes: pages that processes share are counted once. Bytes. */
  nowBytes: number;
  /**
   * At most this at any time before: `nowBytes`, and by how much the resident set of each process was once larger
   * (VmHWM - VmRSS). Bytes.
   */
  peakBytes: number;
}

/** Reads a process and its descendants. Costs the processes nothing but the walk through their pages. */
export function treeMemory(rootPid: number): Memory {
  const memory: Memory = { nowBytes: 0, peakBytes: 0 };
  for (const { pid } of processTree(rootPid)) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      const pss = kilobytes(rollup, 'Pss') * 1024;
      memory.nowBytes += pss;
      memory.peakBytes += pss + Math.max(kilobytes(status, 'VmHWM') - kilobytes(status, 'VmRSS'), 0) * 1024;
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error; // it ended just now
    }
  }
  return memory;
}

/** A value of a `Name:   123 kB` line, 0 when there is none. */
function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}
