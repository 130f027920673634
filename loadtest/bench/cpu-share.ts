/**
 * A slower machine: processes confined to a part of one core, by a control group (cgroup v1 or v2; root is needed). On two
 * cores no generator can send ten times what a switch with a whole core can take.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const V1 = '/sys/fs/cgroup/cpu';
const V2 = '/sys/fs/cgroup';
/** Long enough for the kernel's smallest quota of 1 ms. */
const PERIOD_US = 20_000;

export class CpuShare {
  readonly #folder: string;

  /**
   * @param share of one core, 0.05 to 1.
   * @throws Error when control groups can't be made here.
   */
  constructor(share: number) {
    const v1 = existsSync(join(V1, 'cpu.cfs_quota_us'));
    this.#folder = join(v1 ? V1 : V2, `strowger-bench-${process.pid}`);
    const quotaUs = Math.round(PERIOD_US * share);
    try {
      mkdirSync(this.#folder);
      if (v1) {
        writeFileSync(join(this.#folder, 'cpu.cfs_period_us'), String(PERIOD_US));
        writeFileSync(join(this.#folder, 'cpu.cfs_quota_us'), String(quotaUs));
      } else writeFileSync(join(this.#folder, 'cpu.max'), `${quotaUs} ${PERIOD_US}`);
    } catch (error) {
      this.remove();
      throw new Error(
        `no control group for CPU time can be made here (${(error as Error).message}); it needs root and cgroups`,
      );
    }
  }

  /** Confines a process, with all its threads. */
  add(pid: number): void {
    writeFileSync(join(this.#folder, 'cgroup.procs'), String(pid));
  }

  /** To be called when its processes have ended. */
  remove(): void {
    if (existsSync(this.#folder)) rmdirSync(this.#folder);
  }
}
