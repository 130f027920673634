import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder, removeFolder } from './harness/folder.ts';
import { freePorts } from './harness/ports.ts';
import { isAlive, processTree } from './harness/processes.ts';
import { Program } from './harness/program.ts';
import { REPOSITORY } from './harness/repository.ts';
import { eventually } from './harness/wait.ts';

const START_MS = 20_000;
let sip: number;
let web: number;
let folder: string;
let program: Program | null = null;

beforeEach(async () => {
  sip = await freePorts();
  web = await freePorts();
  folder = makeFolder('program');
});
afterEach(async () => {
  await program?.stop('SIGINT');
  program = null;
  removeFolder(folder);
});

/** Writes the file that the program reads. */
function configure(yaml: string): void {
  writeFileSync(join(folder, 'config.yaml'), yaml);
}

/** Starts the program with a configuration. */
function run(yaml: string, ...args: string[]): Program {
  configure(yaml);
  const main = join(REPOSITORY, 'switch/main.ts');
  const command = [
    '--disable-warning=ExperimentalWarning',
    main,
    '--config',
    join(folder, 'config.yaml'),
    ...args,
  ];
  program = new Program({ name: 'switch', command: process.execPath, args: command });
  return program;
}

const config = (more = ''): string => `
name: test
domains: [strowger.test]
listen: {udp: ["127.0.0.1:${sip}"], tcp: ["127.0.0.1:${sip}"]}
http: {listen: "127.0.0.1:${web}", tokens: [{name: test, generate: true}]}
users: [{range: 1001-1010, password: demo-<user>}]
media: {anchor: false}
calls: {drainS: 1}
${more}`;

/** Starts it and waits until it is ready. */
async function start(): Promise<{ program: Program; line: string; token: string }> {
  const started = run(config());
  const [line] = await started.line(/^strowger ready.*/, START_MS);
  return { program: started, line, token: /token=([\w-]+)/.exec(line)?.[1] ?? '' };
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
    const { program, line, token } = await start();
    expect(line).toContain(`ws://127.0.0.1:${web}/sip`);
    expect(line).toContain('1001-1010');
    expect(token.length).toBeGreaterThan(16);
    for (const ask of Object.values(answers)) expect(await ask()).toMatch(/^SIP\/2\.0 200 /);
    expect((await fetch(`http://127.0.0.1:${web}/readyz`)).status).toBe(200);
    expect((await nodes(token))[0]).toMatchObject({ id: 'test', role: 'active', state: 'running' });
    const tree = processTree(program.pid);
    program.signal('SIGINT');
    expect(await program.exited).toBe(0);
    expect(tree.filter(isAlive)).toEqual([]);
  });

  it('starts the node again when it dies, with the same token', async () => {
    const { program, token } = await start();
    const [before] = await nodes(token);
    process.kill(before!.pid, 'SIGKILL');
    await program.line(/SIGKILL.*child process died/, 5_000);
    await program.line(/ready again/, START_MS);
    const [after] = await nodes(token);
    expect(after!.pid).not.toBe(before!.pid);
    expect(await answers.UDP()).toMatch(/^SIP\/2\.0 200 /);
  });

  it('takes new users on SIGHUP, and refuses a file with a mistake', async () => {
    const { program, token } = await start();
    configure(config('nonsense: 1'));
    program.signal('SIGHUP');
    await program.line(/refused.*nonsense: unknown key/, 5_000);
    configure(config().replace('1001-1010', '2001-2010'));
    program.signal('SIGHUP');
    await program.line(/as in the file now/, 5_000);
    expect(await nodes(token)).toHaveLength(1);
  });

  it('takes its children with it when it is killed', async () => {
    const { program } = await start();
    const children = processTree(program.pid).filter(({ pid }) => pid !== program.pid);
    expect(children.length).toBeGreaterThan(0);
    program.signal('SIGKILL');
    await eventually('no child left', () => !children.some(isAlive));
  });

  it('can be stopped while it starts', async () => {
    const early = run(config());
    await eventually('the node', () => processTree(early.pid).length > 1, START_MS, 5);
    early.signal('SIGINT');
    expect(await early.exited).toBe(0);
  });
});

describe('a program that can not start', () => {
  it('says where the configuration is wrong', async () => {
    const broken = run(config('limits: {cals: 3}'));
    expect(await broken.exited).toBe(2);
    expect(broken.tail(5)).toMatch(/config\.yaml:9:10: limits\.cals: unknown key; did you mean "calls"\?/);
  });

  it('says which port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(web, '127.0.0.1', resolve));
    const broken = run(config());
    expect(await broken.exited).toBe(1);
    expect(broken.tail(20)).toContain(`127.0.0.1:${web}`);
    server.close();
  });

  it('only checks with --check', async () => {
    const checked = run(config(), '--check');
    expect(await checked.exited).toBe(0);
    expect(checked.tail(5)).toContain('good (10 users');
  });

  it('says what it takes when asked for nonsense', async () => {
    const confused = run(config(), '--nonsense');
    expect(await confused.exited).toBe(2);
    expect(confused.tail(9)).toContain('Usage:');
  });
});
