/** Temporary folders of a test run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder in the system's temporary folder; the caller removes it. */
export function makeFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `strowger-e2e-${name}-`));
}

/** Removes a folder made by {@link makeFolder}, with everything in it. */
export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
