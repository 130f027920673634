import { describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { parseAddress } from '../../../wasm-core/host/address.ts';
import { encodeText } from '../../../wasm-core/host/frames.ts';
import { CoreLink } from '../../control/core-link.ts';
import { EventLog } from '../../control/event-log.ts';
import type { Logger } from '../../control/log.ts';
import { FakeRealtime } from '../support/fake-realtime.ts';

function setUp(perSecond: number) {
  const lines: unknown[] = [];
  const keep = (level: string) => (details: object, text: string) => lines.push({ level, text, ...details });
  const log = { isLevelEnabled: () => true, debug: keep('debug'), info: keep('info'), warn: keep('warn') };
  const realtime = new FakeRealtime();
  new EventLog(perSecond, new CoreLink(realtime), log as unknown as Logger);
  const report = (code: number, status: number, text: string): void =>
    realtime.effect(
      {
        kind: abi.EF_LOG,
        transport: abi.TRANSPORT_TCP,
        address: parseAddress('192.0.2.1')!,
        port: 5060,
        args: [code, status],
      },
      encodeText(text),
    );
  return { report, lines };
}

describe('events of the core', () => {
  it('are logged with peer and Call-ID', () => {
    const { report, lines } = setUp(10);
    report(abi.LOG_AUTH_FAILED, 403, 'id@host');
    report(abi.LOG_AUTH_FAILED, 401, '1002');
    report(abi.LOG_REGISTERED, 0, '1001');
    expect(lines).toEqual([
      {
        level: 'warn',
        text: 'auth-failed',
        peer: '192.0.2.1:5060',
        transport: 'tcp',
        status: 403,
        callId: 'id@host',
      },
      {
        level: 'warn',
        text: 'auth-failed',
        peer: '192.0.2.1:5060',
        transport: 'tcp',
        status: 401,
        user: '1002',
      },
      { level: 'debug', text: 'registered', peer: '192.0.2.1:5060', transport: 'tcp', user: '1001' },
    ]);
  });

  it('are limited in number per second', () => {
    const { report, lines } = setUp(5);
    for (let i = 0; i < 1000; i++) report(abi.LOG_MALFORMED, 400, 'x');
    // The second may end while the test runs.
    expect(lines.length).toBeGreaterThanOrEqual(5);
    expect(lines.length).toBeLessThanOrEqual(11);
  });
});
