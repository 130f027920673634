import type { Config } from './schema.ts';

/** Whether there are two nodes: what that needs of the system only Linux has. */
export function hasStandby(config: Config): boolean {
  return config.availability.standby && process.platform === 'linux';
}
