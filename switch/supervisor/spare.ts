/**
 * A spare: a process that is started ahead, does what takes time and touches nothing of its predecessor, and waits here until that
 * one has died (`Child`, option `spare`).
 */
/** In the environment of a spare. */
export const SPARE = 'STROWGER_SPARE';

/** Resolves when this process is to serve: at once, unless it is a spare. One without a parent ends. */
export async function turn(): Promise<void> {
  if (process.env[SPARE] === undefined) return;
  const orphaned = () => process.exit(0);
  process.once('disconnect', orphaned);
  await new Promise((resolve) => process.once('message', resolve));
  process.off('disconnect', orphaned);
}
