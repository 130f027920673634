/**
 * The prober by hand:
 *
 *   node loadtest/latency/main.ts --proxy 127.0.0.1:5060 --rate 1000 --seconds 10 [--hold 100] [--user bob] [--pid PID] [--json]
 *
 * With `--proxy none` the two sides talk without a proxy: what the prober itself can do, and costs.
 */
import { parseArgs } from 'node:util';
import { KINDS, type Latency, probe, type ProbeResult } from './prober.ts';

const COLUMN = 10;

function cells(name: string, { count, p50, p99, p999, max }: Latency): string {
  return (
    name.padEnd(12) + [count, p50, p99, p999, max].map((value) => String(value).padStart(COLUMN)).join('')
  );
}

function report(result: ProbeResult): string {
  const { callsPerSecond, calls, completed, failed, refused, lost, dropped, retransmissions } = result;
  const { direct, added, lateUs } = result;
  const cpu = result.cpuUsPerCall === undefined ? '' : `, ${Math.round(result.cpuUsPerCall)} µs CPU per call`;
  return [
    `${callsPerSecond} calls/s: ${completed} of ${calls} calls completed, ${failed} failed (${refused} refused), ` +
      `${lost} messages lost (${dropped} at the prober), ${retransmissions} retransmissions${cpu} (prober: ${Math.round(result.proberCpuUsPerCall)} µs)`,
    'added, µs'.padEnd(12) +
      ['count', 'p50', 'p99', 'p99.9', 'max'].map((head) => head.padStart(COLUMN)).join(''),
    ...[...KINDS, 'all' as const].map((kind) => cells(kind, added[kind])),
    cells('direct path', direct),
    cells('sent late', lateUs),
  ].join('\n');
}

try {
  const { values } = parseArgs({
    options: {
      proxy: { type: 'string' },
      rate: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '10' },
      hold: { type: 'string', default: '100' },
      user: { type: 'string', default: 'bob' },
      domain: { type: 'string', default: 'strowger.test' },
      pid: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.proxy === undefined) throw new Error('say which proxy: --proxy 127.0.0.1:5060');
  const result = await probe({
    proxy: values.proxy,
    callsPerSecond: Number(values.rate),
    seconds: Number(values.seconds),
    holdMs: Number(values.hold),
    user: values.user,
    domain: values.domain,
    ...(values.pid !== undefined && { pid: Number(values.pid) }),
    onProgress: (seconds) => process.stderr.write(`\r${seconds} of ${values.seconds} s`),
  });
  process.stderr.write('\r');
  console.log(values.json ? JSON.stringify(result, null, 2) : report(result));
  process.exitCode = result.failed > 0 ? 1 : 0;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
