/**
 * Logs: pino to standard error, as JSON or as one readable line per entry. Lines about a call carry `callId`.
 * Nothing that is logged comes from an Authorization header, a password or a token.
 */
import { type DestinationStream, pino, type Logger } from 'pino';
import type { Config } from './config/schema.ts';

/** pino's logger. */
export type { Logger } from 'pino';

const LEVELS: Record<number, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
/** Keys that pino adds and the readable form leaves out. */
const HIDDEN = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'node', 'err']);

/** One readable line from one JSON entry. */
export function formatEntry(json: string): string {
  const entry = JSON.parse(json) as Record<string, unknown>;
  const time = new Date(Number(entry['time'])).toISOString().slice(11, 23);
  const level = (LEVELS[Number(entry['level'])] ?? '').padEnd(5);
  const details = Object.entries(entry)
    .filter(([key]) => !HIDDEN.has(key))
    .map(
      ([key, value]) =>
        `${key}=${typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)}`,
    );
  const error = entry['err'] as { stack?: string; message?: string } | undefined;
  const trace = error ? `\n  ${(error.stack ?? error.message ?? '').replaceAll('\n', '\n  ')}` : '';
  return `${[time, level, entry['msg'], ...details].join(' ')}${trace}\n`;
}

/** A line of a log in readable form; what isn't JSON stays as it is. */
export function formatLogLine(line: string): string {
  if (!line.startsWith('{')) return `${line}\n`;
  try {
    return formatEntry(line);
  } catch {
    return `${line}\n`;
  }
}

/** Writes through a format; synchronous, so that nothing is lost when the process dies. */
function prettyStream(out: DestinationStream): DestinationStream {
  return { write: (json) => out.write(formatEntry(json)) };
}

/** The logger of a process. */
export function createLogger(options: Pick<Config['logs'], 'level' | 'pretty'>, node: string): Logger {
  const out = pino.destination({ dest: 2, sync: true });
  const settings = {
    level: options.level,
    base: { node },
    redact: {
      paths: ['password', 'token', 'authorization', '*.password', '*.token', '*.authorization'],
      remove: true,
    },
  };
  return pino(settings, options.pretty ? prettyStream(out) : out);
}
