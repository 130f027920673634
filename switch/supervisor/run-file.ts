/**
 * Where a switch that runs can be reached, for the `strowger` command of the same user: one file for each, in a folder that nobody else can read. It holds
 * the token that was made at the start, if one was.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../control/log.ts';

export interface RunFile {
  /** `name` of the configuration. */
  name: string;
  /** Of the supervisor. */
  pid: number;
  /** Of the pages, ending in a slash. */
  url: string;
  /** '' = none was made. */
  token: string;
}

/** The folder of this user. */
function runFolder(): string {
  const base = process.env['XDG_RUNTIME_DIR'];
  return base ? join(base, 'strowger') : join(tmpdir(), `strowger-${process.getuid?.() ?? 'user'}`);
}

/** @throws Error when others could read or change what is in it. */
function checkFolder(folder: string): void {
  const { mode, uid } = statSync(folder);
  if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o077) !== 0))
    throw new Error(`${folder} is not only ours`);
}

/** @returns its path; null when it can't be written, which is logged: the command needs --url and --token then. */
export function writeRunFile(run: RunFile, log: Logger): string | null {
  const folder = runFolder();
  const file = join(folder, `${run.pid}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    checkFolder(folder);
    rmSync(file, { force: true });
    writeFileSync(file, `${JSON.stringify(run)}\n`, { mode: 0o600, flag: 'wx' });
    return file;
  } catch (error) {
    log.warn({ err: error }, 'the strowger command will not find this switch by itself');
    return null;
  }
}

/** Of all switches of this user that run. */
export function readRunFiles(): RunFile[] {
  const folder = runFolder();
  try {
    checkFolder(folder);
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    const runs = names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as RunFile);
    return runs.filter(({ pid }) => isAlive(pid));
  } catch {
    return []; // none has been started
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
