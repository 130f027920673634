import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EF_QUERY_REPLY } from '../../../wasm-core/assembly/abi.ts';
import { CoreLink } from '../../control/core-link.ts';
import { createLogger } from '../../control/log.ts';
import { Watchdog } from '../../control/watchdog.ts';
import { FakeRealtime } from '../support/fake-realtime.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(answers: boolean) {
  const realtime = new FakeRealtime();
  if (answers) realtime.answer = (frame) => realtime.effect({ kind: EF_QUERY_REPLY, args: [frame.arg(0)] });
  let stuck = 0;
  const watchdog = new Watchdog(
    new CoreLink(realtime),
    createLogger({ level: 'silent', pretty: false }, 'test'),
    () => {
      stuck++;
    },
  );
  watchdog.start();
  return { watchdog, realtime, stuck: () => stuck };
}

describe('the watchdog', () => {
  it('is quiet while the core answers', async () => {
    const { watchdog, realtime, stuck } = setUp(true);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(stuck()).toBe(0);
    expect(realtime.sent.length).toBeGreaterThan(25);
    watchdog.stop();
  });

  it('says once that the core is stuck', async () => {
    const { stuck } = setUp(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stuck()).toBe(0);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(stuck()).toBe(1);
  });

  it('is quiet when stopped', async () => {
    const { watchdog, stuck } = setUp(false);
    await vi.advanceTimersByTimeAsync(5_000);
    watchdog.stop();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(stuck()).toBe(0);
  });
});
