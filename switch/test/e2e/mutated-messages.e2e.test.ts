import { describe, expect, test } from 'vitest';
import { ua, useSwitch } from './harness/rig.ts';
import { OFFER, type Ua } from './harness/ua.ts';

const MESSAGES = 2_000;
/** After so many a good request is sent, and must be answered. */
const BATCH = 50;

/** Numbers in [0, below) from a seed (a linear congruential generator): a failure can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Pieces that parsers stumble over. */
const PIECES = [
  '\r\n',
  '\r\n\r\n',
  '\0',
  '<',
  '>',
  '"',
  ';',
  ',',
  ':',
  '%00',
  '%',
  '@',
  '[',
  ']',
  ' ',
  '\t',
  '=',
  '99999999999',
  '-1',
  '\xff',
];

/** One to four changes: a byte set, a span removed, doubled, or moved, a nasty piece put in, or the rest cut off. */
function mutate(original: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(original);
  for (let change = random(4); change >= 0; change--) {
    const at = random(bytes.length);
    const end = Math.min(bytes.length, at + 1 + random(40));
    const [head, span, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    const piece = Buffer.from(PIECES[random(PIECES.length)]!, 'latin1');
    const variants = [
      () => Buffer.concat([head, Buffer.from([random(256)]), bytes.subarray(at + 1)]),
      () => Buffer.concat([head, tail]),
      () => Buffer.concat([head, span, span, tail]),
      () => Buffer.concat([head, tail, span]),
      () => Buffer.concat([head, piece, bytes.subarray(at)]),
      () => Buffer.from(head),
    ];
    bytes = variants[random(variants.length)]!();
    if (bytes.length === 0) return Buffer.from(piece);
  }
  return bytes;
}

function validMessages(agent: Ua): Buffer[] {
  const invite = agent.request('INVITE', 'sip:1002@strowger.test', {
    body: OFFER,
    headers: [['Supported', 'path, outbound']],
  });
  const many = agent.request('INVITE', 'sip:1002@strowger.test;user=phone', {
    routes: ['<sip:127.0.0.1:9;lr>', '"x, y" <sip:[::1]:9;lr>'],
    headers: [
      ['v', 'SIP/2.0/UDP a.test;branch=z9hG4bK1, SIP/2.0/TCP [::1]:5070;branch=z9hG4bK2;received=10.0.0.1'],
    ],
  });
  return [
    invite,
    many,
    agent.cancel(invite),
    agent.request('REGISTER', 'sip:strowger.test', { headers: [['Expires', '60']] }),
    agent.request('REGISTER', 'sip:strowger.test', { contact: '*', headers: [['Expires', '0']] }),
    agent.request('OPTIONS', 'sip:strowger.test'),
    agent.request('MESSAGE', 'sip:1003@strowger.test', { body: 'hello', contentType: 'text/plain' }),
    agent.response(invite, 180, 'Ringing'),
    agent.response(invite, 200, 'OK', { body: OFFER }),
    agent.request('BYE', 'sip:1002@strowger.test', { to: '<sip:1002@strowger.test>;tag=1' }),
  ].map((message) => message.toBuffer());
}

describe('mutated messages', () => {
  const strowger = useSwitch({
    change: (config) => {
      config.trusted = ['127.0.0.0/8']; // or most would end at the challenge
      config.timers = { t1Ms: 20, t2Ms: 100, t4Ms: 100 };
    },
  });

  async function nodePid(): Promise<number | undefined> {
    const { nodes } = await strowger().api<{ nodes: { role: string; pid: number }[] }>('/nodes');
    return nodes.find(({ role }) => role === 'active')?.pid;
  }

  test(`${MESSAGES} of them never stop the switch from answering`, async () => {
    const seed = Date.now() >>> 0;
    const random = randomFrom(seed);
    const sender = await ua(strowger(), { user: '1001' });
    const probe = await ua(strowger(), { user: '1004' });
    await sender.register();
    const pid = await nodePid();
    for (let sent = 0; sent < MESSAGES; sent += BATCH) {
      const valid = validMessages(sender);
      for (let i = 0; i < BATCH; i++) sender.sendRaw(mutate(valid[random(valid.length)]!, random));
      const options = probe.request('OPTIONS', 'sip:strowger.test');
      probe.send(options);
      const answer = await probe
        .answer(options, undefined, 1_000)
        .catch((error: Error) =>
          Promise.reject(new Error(`seed ${seed}, after ${sent + BATCH} messages: ${error.message}`)),
        );
      expect(answer.status, `seed ${seed}`).toBe(200);
    }
    expect(await nodePid(), `seed ${seed}: the node was restarted`).toBe(pid);
  });
});
