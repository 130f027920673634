/** The journal of bindings as the configuration says, and bindings from it for a core that begins. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import { Journal } from '../journal/journal.ts';
import type { LoadedConfig } from './config/load.ts';
import type { CoreLink } from './core-link.ts';
import type { Logger } from './log.ts';

/** @returns null when nothing is to be kept. */
export function openJournal({ config }: LoadedConfig, log: Logger): Journal | null {
  const { file, sync } = config.store;
  return file === undefined ? null : Journal.open({ file, sync, types: [abi.MRT_BINDING] }, log);
}

/**
 * Gives all bindings in the journal to the core, which must be a standby that has heard nothing of another node. What is posted on
 * the link afterwards comes after them. A journal that can't be read is logged; the node begins with what was read.
 */
export async function restoreBindings(journal: Journal, link: CoreLink, log: Logger): Promise<void> {
  try {
    for await (const payload of journal.load()) {
      link.post({ kind: abi.EV_MIRROR, flags: abi.MIRROR_LOCAL }, payload);
      if (link.congested) await new Promise<void>((resolve) => link.onceRelieved(resolve));
    }
    log.info({ records: journal.read().recordsLoaded }, 'bindings restored');
  } catch (error) {
    log.error({ err: error }, 'bindings can not be restored: phones must register again');
  }
}
