import { describe, expect, test } from 'vitest';
import { parseOptions, portPairs } from '../../control/options.ts';

describe('command line', () => {
  test('defaults', () => {
    expect(parseOptions(['--socket', '/tmp/m'])).toEqual({
      socket: '/tmp/m',
      address: '127.0.0.1',
      announcedAddress: '127.0.0.1',
      portMin: 20_000,
      portMax: 29_999,
      webrtcPort: 44_400,
      plainToPlain: 'edge',
      batchBudgetUs: 500,
      workers: 1,
      timeoutS: 120,
      callsMax: 5_000,
      leaseMs: 350,
      generation: 1,
      logLevel: 'info',
    });
  });

  test('all of them', () => {
    const args =
      '--socket s --address 0.0.0.0 --announced 198.51.100.1 --ports 1024-1033 --webrtc-port 5000 ' +
      '--batch-budget 0 --workers 4 --timeout 0 --calls 3 --lease 1000 --generation 7 --log-level warn';
    expect(parseOptions(args.split(' '))).toMatchObject({
      address: '0.0.0.0',
      announcedAddress: '198.51.100.1',
      portMin: 1024,
      portMax: 1033,
      webrtcPort: 5000,
      batchBudgetUs: 0,
      workers: 4,
      timeoutS: 0,
      callsMax: 3,
      leaseMs: 1_000,
      generation: 7,
      logLevel: 'warn',
    });
  });

  test.each([
    ['', '--socket PATH is missing'],
    ['--socket s --address phone', '--address phone is not an IP address'],
    ['--socket s --ports 100-2000', '--ports takes whole numbers from 1024 to 65534'],
    ['--socket s --ports 3000-2000', '--ports takes whole numbers from 3001 to 65535'],
    ['--socket s --ports 3000', '--ports takes'],
    ['--socket s --workers 0', '--workers takes whole numbers from 1 to 64'],
    ['--socket s --timeout x', '--timeout takes'],
    ['--socket s --plain-to-plain wire', '--plain-to-plain is one of edge, mediasoup'],
    ['--socket s --batch-budget 3000', '--batch-budget takes whole numbers from 0 to 2000'],
    ['--socket s --log-level loud', '--log-level is one of'],
    ['--socket s --color', '--color'],
  ])('%s', (args, message) => {
    expect(() => parseOptions(args.split(' ').filter(Boolean))).toThrow(message);
  });
});

test.each([
  [20_000, 29_999, 5_000],
  [20_001, 20_004, 1],
  [20_000, 20_000, 0],
  [20_000, 20_001, 1],
])('pairs from %d to %d: %d', (min, max, pairs) => {
  expect(portPairs(min, max)).toBe(pairs);
});
