/**
 * `npm run bench:core`: what the signalling core costs, without sockets and threads. Prints ns for a parse and for
 * whole steps, each also as a multiple of a calibration loop measured in the same run.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EV_MESSAGE } from '../assembly/abi.ts';
import { register, request, routes, answer } from '../test/support/phone.ts';
import { Driver, header, sent } from '../test/support/driver.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ROUNDS = 7;
const CALIBRATION_ROUNDS = 1000;

interface ParseExports {
  memory: WebAssembly.Memory;
  init(): void;
  messagePtr(): number;
  parse(len: number, times: number): number;
  calibrate(times: number): bigint;
}

/** Median ns per call of `work(times)`. */
function measure(times: number, work: (times: number) => void): number {
  work(times);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work(times);
    return ((performance.now() - start) * 1e6) / times;
  });
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

function buildParser(): ParseExports {
  const out = join(ROOT, 'build/parse-bench.wasm');
  const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
  const options = [
    '--config',
    'none',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--use',
    'abort=',
    '-O3',
    '--converge',
  ];
  const fast = ['--noAssert', '--uncheckedBehavior', 'always', '-o', out];
  execFileSync(process.execPath, [asc, join(ROOT, 'wasm-core/bench/parse.ts'), ...options, ...fast], {
    cwd: ROOT,
  });
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(out)))
    .exports as unknown as ParseExports;
}

/** The INVITE of the comparison with other proxies, 474 bytes with its values filled in. */
function benchInvite(): string {
  const body = [
    'v=0',
    'o=user1 53655765 2353687637 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=audio 6000 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    '',
  ].join('\r\n');
  return [
    'INVITE sip:1002@strowger.test SIP/2.0',
    'Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK-12345-1-0',
    'From: "alice" <sip:1001@strowger.test>;tag=12345SIPpTag001',
    'To: <sip:1002@strowger.test>',
    'Call-ID: 1-12345@127.0.0.1',
    'CSeq: 1 INVITE',
    'Contact: <sip:1001@127.0.0.1:6000>',
    'Max-Forwards: 70',
    'User-Agent: bench',
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

const parser = buildParser();
parser.init();
const invite = new TextEncoder().encode(benchInvite());
new Uint8Array(parser.memory.buffer).set(invite, parser.messagePtr());
if (parser.parse(invite.length, 1) !== 0) throw new Error('the bench message does not parse');

/** ns that events of a call cost, each of `calls` calls sending them in order. */
async function steps(calls: number): Promise<Record<string, number>> {
  const driver = await Driver.start({
    callsMax: calls * 2,
    transactionsMax: calls * 2,
    branchesMax: calls * 2,
    blocks1k: calls * 4,
    blocks4k: calls * 2,
  });
  register(driver, '1002', 7001);
  const spent: Record<string, number> = {};
  const timed = (name: string, text: string, port: number) => {
    const bytes = new TextEncoder().encode(text);
    driver.put(EV_MESSAGE, { payload: bytes, source: { port } });
    const start = performance.now();
    driver.core.step(driver.nowUs, 0, 1);
    spent[name] = (spent[name] ?? 0) + performance.now() - start;
    return sent(driver.effects());
  };
  for (let i = 0; i < calls; i++) {
    const text = benchInvite().replaceAll('12345', `${100_000 + i}`);
    const arrived = timed('INVITE in to INVITE out', text, 6000).at(-1)!.text;
    timed('180', answer(arrived, '180 Ringing'), 7001);
    const ok = timed('200', answer(arrived, '200 OK', 'b', ['Contact: <sip:1002@127.0.0.1:7001>']), 7001)[0]!
      .text;
    const dialog = {
      from: header(ok, 'From')[0]!,
      to: header(ok, 'To')[0]!,
      callId: header(ok, 'Call-ID')[0]!,
      uri: 'sip:1002@127.0.0.1:7001',
      port: 6000,
      headers: routes(ok),
    };
    timed('ACK', request({ ...dialog, method: 'ACK' }), 6000);
    const bye = timed('BYE', request({ ...dialog, method: 'BYE', cseq: 2 }), 6000)[0]!.text;
    timed('200 to BYE', answer(bye, '200 OK'), 7001);
    driver.nowUs += 1000;
  }
  for (let i = 0; i < calls; i++) {
    const text = request({
      method: 'REGISTER',
      uri: 'sip:strowger.test',
      from: '<sip:1003@strowger.test>;tag=r',
      to: '<sip:1003@strowger.test>',
      callId: 'bench',
      cseq: i + 1,
      port: 7003,
      headers: ['Contact: <sip:1003@127.0.0.1:7003>'],
    });
    timed('REGISTER', text, 7003);
  }
  return Object.fromEntries(Object.entries(spent).map(([name, ms]) => [name, (ms * 1e6) / calls]));
}

const calibration = measure(200_000, (n) => parser.calibrate(n * 10)) / 10;
const rows: [string, number][] = [
  [`parse of a ${invite.length}-byte INVITE`, measure(200_000, (n) => parser.parse(invite.length, n))],
  ...Object.entries(await steps(20_000)).map(([name, ns]): [string, number] => [`step: ${name}`, ns]),
];
console.log(
  `core.wasm: ${statSync(join(ROOT, 'build/core.wasm')).size} bytes; one calibration round: ${calibration.toFixed(2)} ns`,
);
for (const [name, ns] of rows) {
  const multiple = (ns / (calibration * CALIBRATION_ROUNDS)).toFixed(2);
  console.log(`${name.padEnd(40)} ${ns.toFixed(0).padStart(7)} ns   ${multiple.padStart(6)} kilo-rounds`);
}
