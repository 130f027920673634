import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Keepalive } from '../../softphone/phone/keepalive.ts';

class Socket extends EventTarget {
  readonly readyState = 1;
  readonly sent: unknown[] = [];
  send(data: unknown): void {
    this.sent.push(data);
  }
  hear(): void {
    this.dispatchEvent(new Event('message'));
  }
}

const OPTIONS = { intervalMs: 1_000, pongMs: 100 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('pings a silent connection, and gives up when nothing answers', () => {
  const socket = new Socket();
  const dead = vi.fn();
  new Keepalive(socket as unknown as WebSocket, dead, OPTIONS);
  vi.advanceTimersByTime(999);
  expect(socket.sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(socket.sent).toEqual(['\r\n\r\n']);
  vi.advanceTimersByTime(99);
  expect(dead).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10_000);
  expect(dead).toHaveBeenCalledTimes(1);
  expect(socket.sent).toHaveLength(1);
});

test('anything heard shows that it lives', () => {
  const socket = new Socket();
  const dead = vi.fn();
  new Keepalive(socket as unknown as WebSocket, dead, OPTIONS);
  for (let i = 0; i < 5; i++) {
    vi.advanceTimersByTime(900);
    socket.hear();
  }
  expect(socket.sent).toEqual([]);
  vi.advanceTimersByTime(1_050);
  socket.hear();
  vi.advanceTimersByTime(500);
  expect(dead).not.toHaveBeenCalled();
});

test('probe() asks at once, stop() ends it', () => {
  const socket = new Socket();
  const dead = vi.fn();
  const keepalive = new Keepalive(socket as unknown as WebSocket, dead, OPTIONS);
  keepalive.probe();
  keepalive.probe();
  expect(socket.sent).toHaveLength(1);
  keepalive.stop();
  vi.advanceTimersByTime(10_000);
  expect(dead).not.toHaveBeenCalled();
  keepalive.probe();
  expect(socket.sent).toHaveLength(1);
});
