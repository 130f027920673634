import type { Config } from './schema.ts';

/** Whether there are two nodes: what that needs of the system only Linux has. */
export function hasStandby(config: Config): boolean {
  return config.availability.standby && process.platform === 'linux';
}

/** Whether a node's core begins as a standby: of a pair, and where bindings are to be restored before it works. */
export function beginsAsStandby(config: Config): boolean {
  return hasStandby(config) || config.store.file !== undefined;
}
