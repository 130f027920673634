import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SipMessage } from './harness/message.ts';
import { ua, useSwitch } from './harness/rig.ts';
import { isAllowed, type TortureMessage, tortureMessages } from './harness/torture.ts';
import { Ua } from './harness/ua.ts';
import { eventually } from './harness/wait.ts';

/** Time in which an answer must come, if one comes. */
const ANSWER_MS = 300;
/** Time in which a good OPTIONS must be answered after each message. */
const OPTIONS_MS = 100;

/**
 * A loopback address of our own: without rport a response goes to the port in the message's own Via
 * (RFC 3261 18.2.2), which must not belong to somebody else.
 */
const SOURCE = `127.44.${(process.pid >> 8) & 0xff}.${process.pid & 0xff || 1}`;
/** Ports in the topmost Via headers of the messages. */
const VIA_PORTS = [5060, 5050, 5070, 6050, 19_823];

const messages = tortureMessages();
if (messages.length === 0) {
  console.warn('RFC 4475 AND RFC 5118 MESSAGES ARE NOT THERE (../shared/corpora): THEIR TESTS ARE SKIPPED');
}

describe.skipIf(messages.length === 0)('torture messages of RFC 4475 and RFC 5118', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.trusted = ['127.0.0.0/8'];
      config.domains = ['strowger.test', 'example.com', 'registrar.example.com', '127.0.0.1'];
      config.users = [
        ...(config.users as object[]),
        { user: 'user', password: 'x' },
        { user: 'watson', password: 'x' },
      ] as never;
      // The messages share branches: transactions must be over before the next comes.
      config.timers = { t1Ms: 10, t2Ms: 100, t4Ms: 100 };
      config.media = { ...config.media, anchor: false };
    },
  });
  const sockets: Socket[] = [];
  const received: { message: SipMessage; port: number }[] = [];
  let probe: Ua;

  beforeAll(async () => {
    for (const port of VIA_PORTS) {
      const socket = createSocket('udp4');
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(port, SOURCE, resolve);
      });
      socket.on('message', (bytes) => received.push({ message: SipMessage.parse(bytes), port }));
      sockets.push(socket);
    }
    probe = await Ua.open({ user: '1001', proxy: strowger().sip });
  });
  afterAll(() => {
    for (const socket of sockets) socket.close();
    probe?.close();
  });

  /** Sends over UDP and returns the final response to it, or else the provisional one, if any comes. */
  async function outcomeOf(bytes: Buffer): Promise<SipMessage | undefined> {
    const port = Number(strowger().sip.split(':')[1]);
    const from = received.length;
    const callIds = new Set(SipMessage.parse(bytes).headers('call-id'));
    sockets[0]!.send(bytes, port, '127.0.0.1');
    const find = () =>
      received
        .slice(from)
        .map(({ message }) => message)
        .find(
          (message) =>
            message.status >= 200 &&
            (callIds.size === 0 ? !message.has('call-id') : callIds.has(message.callId)),
        );
    const trying = () =>
      callIds.size > 0 && received.slice(from).find(({ message }) => callIds.has(message.callId))?.message;
    return await eventually('answer', find, ANSWER_MS, 5).catch(() => trying() || undefined);
  }

  async function expectAlive(): Promise<void> {
    const options = probe.request('OPTIONS', 'sip:strowger.test');
    const from = performance.now();
    probe.send(options);
    const answer = await probe.answer(options, undefined, 2_000);
    expect(answer.status).toBe(200);
    expect(performance.now() - from).toBeLessThan(OPTIONS_MS);
  }

  test.each(messages.map((message) => [message.name, message] as const))(
    '%s over UDP',
    async (_, message) => {
      const answer = await outcomeOf(message.bytes);
      const status = answer?.status ?? 0;
      expect(
        isAllowed(message, status),
        `came: ${answer?.startLine ?? 'nothing'}; allowed: ${message.allowed}`,
      ).toBe(true);
      checkDetails(message, answer);
      await expectAlive();
    },
  );

  function checkDetails(message: TortureMessage, answer: SipMessage | undefined): void {
    if (message.name.endsWith('/bext01')) expect(answer?.headers('unsupported').length).toBeGreaterThan(0);
    if (message.name.endsWith('/escnull') && answer?.status === 200) {
      expect(new Set(answer.headers('contact')).size).toBe(2);
    }
    if (message.name.endsWith('/dblreq')) {
      expect(answer?.method).toBe('REGISTER');
      expect(
        received.filter((one) => one.message.callId.startsWith('dblreq') && one.message.method === 'INVITE'),
      ).toEqual([]);
    }
    for (const value of answer?.headers('via') ?? []) expect(value).not.toMatch(/received=\[/);
  }

  const overTcp = messages.filter((message) => /TCP/.test(message.transport));
  test.each(overTcp.map((message) => [message.name, message] as const))('%s over TCP', async (_, message) => {
    const agent = await ua(strowger(), { user: '1002', transport: 'tcp' });
    agent.sendRaw(message.bytes);
    const done = await eventually(
      'an answer or the end of the connection',
      () => agent.closed || agent.inbox.poll((one) => one.message.status >= 200),
      // A body that never comes is waited for; the close then belongs to the TCP tests.
      message.name.endsWith('/clerr') ? ANSWER_MS : 2_000,
      10,
    ).catch(() => undefined);
    const status = typeof done === 'object' ? done.message.status : 0;
    const mayClose = /close|400/.test(message.allowed) || message.name.endsWith('/clerr');
    if (status === 0)
      expect(agent.closed || message.name.endsWith('/clerr'), 'no answer and still open').toBe(true);
    if (status === 0) expect(mayClose, `closed; allowed: ${message.allowed}`).toBe(true);
    else expect(isAllowed(message, status), `came: ${status}; allowed: ${message.allowed}`).toBe(true);
    await expectAlive();
  });
});
