/** A logger that keeps what it is told. */
import { pino } from 'pino';
import type { Logger } from '../../control/log.ts';

export function silentLogger(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  return { log: log as unknown as Logger, lines };
}
