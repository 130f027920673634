import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, Program } from '../support/program.ts';
import { until } from '../support/wait.ts';

let sip: number;
let web: number;
let program: Program | null = null;

beforeEach(async () => {
  sip = await freePort();
  web = await freePort();
});
afterEach(async () => {
  await program?.stop();
  program = null;
});

const config = (more = ''): string => `
name: test
domains: [strowger.test]
listen: {udp: ["127.0.0.1:${sip}"], tcp: ["127.0.0.1:${sip}"]}
http: {listen: "127.0.0.1:${web}", tokens: [{name: test, generate: true}]}
users: [{range: 1001-1010, password: demo-<user>}]
media: {anchor: false}
calls: {drainS: 1}
${more}`;

async function start(more = ''): Promise<{ line: string; token: string }> {
  program = new Program(config(more));
  const line = await program.ready();
  return { line, token: /token=([\w-]+)/.exec(line)?.[1] ?? '' };
}

async function nodes(token: string): Promise<{ pid: number }[]> {
  const response = await fetch(`http://127.0.0.1:${web}/api/v1/nodes?token=${token}`);
  return ((await response.json()) as { nodes: { pid: number }[] }).nodes;
}

/** An OPTIONS of the switch itself. */
function options(transport: string): string {
  return [
    'OPTIONS sip:strowger.test SIP/2.0',
    `Via: SIP/2.0/${transport} 127.0.0.1:9;branch=z9hG4bK${transport}1;rport`,
    'From: <sip:x@strowger.test>;tag=1',
    'To: <sip:strowger.test>',
    `Call-ID: options-${transport}`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** The first bytes that come back. */
const answers = {
  UDP: () =>
    new Promise<string>((resolve) => {
      const socket = createSocket('udp4');
      socket.on('message', (message) => {
        socket.close();
        resolve(message.toString());
      });
      socket.send(options('UDP'), sip, '127.0.0.1');
    }),
  TCP: () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(sip, '127.0.0.1', () => socket.write(options('TCP')));
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        socket.destroy();
        resolve(chunk.toString());
      });
    }),
  WS: () =>
    new Promise<string>((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${web}/sip`, 'sip');
      socket.onopen = () => socket.send(options('WS'));
      socket.onerror = () => reject(new Error('websocket'));
      socket.onmessage = ({ data }) => {
        socket.close();
        resolve(String(data));
      };
    }),
};

describe('the program', () => {
  it('starts, says so in one line, answers on every transport, and stops on SIGINT', async () => {
    const { line, token } = await start();
    expect(line).toContain(`ws://127.0.0.1:${web}/sip`);
    expect(line).toContain('1001-1010');
    expect(token.length).toBeGreaterThan(16);
    for (const ask of Object.values(answers)) expect(await ask()).toMatch(/^SIP\/2\.0 200 /);
    expect((await fetch(`http://127.0.0.1:${web}/readyz`)).status).toBe(200);
    const [node] = await nodes(token);
    program!.process.kill('SIGINT');
    expect(await program!.ended()).toBe(0);
    expect(() => process.kill(node!.pid, 0)).toThrow();
  });

  it('starts the node again when it dies, with the same token', async () => {
    const { token } = await start();
    const [before] = await nodes(token);
    process.kill(before!.pid, 'SIGKILL');
    await until(() => program!.err.includes('SIGKILL'));
    await until(() => program!.err.includes('ready again'), 15_000);
    const [after] = await nodes(token);
    expect(after!.pid).not.toBe(before!.pid);
    expect(await answers.UDP()).toMatch(/^SIP\/2\.0 200 /);
  });

  it('takes new users on SIGHUP, and refuses a file with a mistake', async () => {
    const { token } = await start();
    program!.configure(config('nonsense: 1'));
    program!.process.kill('SIGHUP');
    await until(() => program!.err.includes('nonsense: unknown key'), 5_000);
    program!.configure(config().replace('1001-1010', '2001-2010'));
    program!.process.kill('SIGHUP');
    await until(() => program!.err.includes('as in the file now'), 5_000);
    expect(await nodes(token)).toHaveLength(1);
  });

  it('ends its children when it is killed itself', async () => {
    const { token } = await start();
    const [node] = await nodes(token);
    program!.process.kill('SIGKILL');
    await program!.ended();
    await until(() => {
      try {
        process.kill(node!.pid, 0);
        return false;
      } catch {
        return true;
      }
    }, 10_000);
  });
});

describe('a program that can not start', () => {
  it('says where the configuration is wrong', async () => {
    program = new Program(config('limits: {cals: 3}'));
    expect(await program.ended()).toBe(2);
    expect(program.err).toMatch(/config\.yaml:9:10: limits\.cals: unknown key; did you mean "calls"\?/);
  });

  it('says which port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(web, '127.0.0.1', resolve));
    program = new Program(config());
    expect(await program.ended()).toBe(1);
    expect(program.err).toContain(`127.0.0.1:${web}`);
    server.close();
  });

  it('only checks with --check', async () => {
    program = new Program(config(), ['--check']);
    expect(await program.ended()).toBe(0);
    expect(program.out).toContain('good (10 users');
  });

  it('says what it takes when asked for nonsense', async () => {
    program = new Program(config(), ['--nonsense']);
    expect(await program.ended()).toBe(2);
    expect(program.err).toContain('Usage:');
  });
});
