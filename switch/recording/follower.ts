/** A second core that does what is recorded: its state is what the next recording begins with, and it shows that the core is deterministic. */
import type { ReplayModule } from '../../wasm-core/sim/recording/globals.ts';
import { RecordedCore } from '../../wasm-core/sim/recording/recorded-core.ts';
import { RecordReader } from '../../wasm-core/sim/recording/records.ts';
import type { Block } from './intake.ts';

export class Follower {
  readonly core: RecordedCore;
  /** Steps with other effects than those of the node: never, unless there is a mistake of ours. */
  differences = 0;

  constructor(module: ReplayModule) {
    this.core = new RecordedCore(module);
  }

  /** Does the steps of a block. */
  take(block: Block): void {
    const record = new RecordReader(block);
    while (record.next()) {
      const step = this.core.take(record);
      if (step !== null && step.difference !== null) this.differences++;
    }
  }
}
