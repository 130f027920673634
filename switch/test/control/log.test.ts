import { describe, expect, it } from 'vitest';
import { formatEntry } from '../../control/log.ts';

describe('readable logs', () => {
  it('are one line with time, level, message and details', () => {
    const entry = {
      level: 40,
      time: Date.UTC(2026, 0, 1, 12, 30, 1, 5),
      node: 'demo',
      msg: 'rejected',
      callId: 'a@b',
      to: 'two words',
    };
    expect(formatEntry(JSON.stringify(entry))).toBe(
      '12:30:01.005 warn  rejected callId=a@b to="two words"\n',
    );
  });

  it('show where an error came from', () => {
    const text = formatEntry(
      JSON.stringify({ level: 50, time: 0, msg: 'x', err: { message: 'm', stack: 'Error: m\n    at f' } }),
    );
    expect(text.split('\n')).toEqual(['00:00:00.000 error x', '  Error: m', '      at f', '']);
  });
});
