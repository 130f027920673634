/** What /proc tells about processes: who descends from whom, and the CPU time they took (proc(5), stat). */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second of `utime` and `stime` in /proc/PID/stat: USER_HZ, 100 on every Linux port in use. */
const TICKS_PER_SECOND = 100;

/** One process, identified so that a reused pid is not taken for it. */
export interface ProcessStat {
  pid: number;
  parentPid: number;
  /** Command name, at most 15 characters. */
  name: string;
  /** R, S, D, Z and so on. */
  state: string;
  /** CPU time of all its threads, living and ended, µs. */
  cpuUs: number;
  /** Ticks between boot and its start. */
  startTicks: number;
}

/** Reads /proc/PID/stat, or undefined when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ');
  const field = (index: number) => Number(fields[index]);
  return {
    pid,
    parentPid: field(1),
    name: text.slice(text.indexOf('(') + 1, nameEnd),
    state: fields[0] ?? '?',
    cpuUs: ((field(11) + field(12)) * 1e6) / TICKS_PER_SECOND,
    startTicks: field(19),
  };
}

/** The process and all that descend from it, parents first; empty when it is gone. */
export function processTree(rootPid: number): ProcessStat[] {
  const root = processStat(rootPid);
  if (!root) return [];
  const children = new Map<number, ProcessStat[]>();
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? processStat(Number(entry)) : undefined;
    if (!stat) continue;
    const siblings = children.get(stat.parentPid);
    if (siblings) siblings.push(stat);
    else children.set(stat.parentPid, [stat]);
  }
  const tree = [root];
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i]!.pid) ?? []));
  return tree;
}

/** CPU time of a process and its descendants, µs. */
export function treeCpuUs(rootPid: number): number {
  return processTree(rootPid).reduce((sum, stat) => sum + Math.max(stat.cpuUs, threadsCpuUs(stat.pid)), 0);
}

/**
 * CPU time of the living threads of a process, µs: exact, where `cpuUs` is rounded down to ticks, but without threads that have
 * ended. 0 when the kernel does not say (CONFIG_SCHED_INFO).
 */
function threadsCpuUs(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      const runNs = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0];
      return sum + Number(runNs) / 1e3;
    }, 0);
  } catch {
    return 0; // no such file, or the process or one of its threads ended just now
  }
}

/** Signals those of the processes that are still there. */
export function signalAll(processes: ProcessStat[], signal: NodeJS.Signals): void {
  for (const one of processes.filter(isAlive)) {
    try {
      process.kill(one.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended just now
    }
  }
}

/** Whether that very process (not a later one with its pid) still runs. */
export function isAlive(one: ProcessStat): boolean {
  const now = processStat(one.pid);
  return now !== undefined && now.startTicks === one.startTicks && now.state !== 'Z';
}
