import { beforeEach, describe, expect, test } from 'vitest';
import { Call, type SdpInput } from '../../control/call.ts';
import { LEG_ANY } from '../../control/exchange.ts';
import { parseSdp } from '../../sdp/parse.ts';
import { browserAnswer, CHROMIUM, plainBody } from '../support/bodies.ts';
import { FakeEngine } from '../support/fake-engine.ts';

const CALLER = plainBody({ address: '192.0.2.1', port: 4000 });
const CALLEE = plainBody({ address: '192.0.2.2', port: 5000, formats: '0 101' });
const OTHER = plainBody({ address: '192.0.2.3', port: 6000, formats: '8 101' });
const BROWSER_PCMU = browserAnswer('0', []);

let engine: FakeEngine;
let call: Call;

beforeEach(() => {
  engine = new FakeEngine();
  call = new Call(engine);
});

/** A body from a leg; by default a request. */
function body(leg: number, targetLeg: number, sdp: string, more: Partial<SdpInput> = {}): SdpInput {
  return {
    leg,
    targetLeg,
    sdp,
    legVariant: 'plain',
    targetVariants: ['plain'],
    method: 'INVITE',
    cseq: 1,
    status: 0,
    source: '192.0.2.200',
    ...more,
  };
}

async function send(input: SdpInput): Promise<string> {
  return (await call.sdp(input))[input.targetVariants[0]!]!;
}

const invite = (more: Partial<SdpInput> = {}) => send(body(0, LEG_ANY, CALLER, more));
const reply = (leg: number, status: number, sdp: string, more: Partial<SdpInput> = {}) =>
  send(body(leg, 0, sdp, { status, ...more }));

/** A call that is answered by leg 1. */
async function established(): Promise<void> {
  await invite();
  await reply(1, 200, CALLEE);
}

function parties() {
  const [, caller, callee] = [null, ...engine.endpoints];
  return { caller: caller!, callee: callee! };
}

function version(sdp: string): number {
  return Number(/^o=\S+ \S+ (\d+)/m.exec(sdp)![1]);
}

describe('an INVITE and its 200', () => {
  test('the offer goes on with our address and port, the answer comes back with the common codec', async () => {
    const offer = await invite();
    expect(offer).toContain('c=IN IP4 198.51.100.1');
    expect(parseSdp(offer).audio!.codecs.map(({ pt }) => pt)).toEqual([0, 8, 101]);
    const answer = await reply(1, 200, CALLEE);
    expect(parseSdp(answer).audio!.codecs.map(({ pt }) => pt)).toEqual([0, 101]);
    expect(new Set([parseSdp(offer).audio!.port, parseSdp(answer).audio!.port]).size).toBe(2);
    const { caller, callee } = parties();
    expect(caller.peer).toBe(callee);
    expect(caller.flow).toMatchObject({
      receiveEnabled: true,
      sendEnabled: true,
      vouched: ['192.0.2.200', '192.0.2.1'],
    });
    expect(callee.flow?.remote).toMatchObject({ address: '192.0.2.2', port: 5000 });
    expect(call.isAnswered).toBe(true);
  });

  test('repeated, with the same answers and nothing new', async () => {
    expect(await invite()).toBe(await invite());
    const answer = await reply(1, 200, CALLEE);
    const bridges = engine.bridges;
    expect(await reply(1, 200, CALLEE)).toBe(answer);
    expect(engine.bridges).toBe(bridges);
    expect(engine.endpoints).toHaveLength(2);
  });

  test('video is refused and keeps its place', async () => {
    await invite({ sdp: `${CALLER}m=video 4002 RTP/AVP 31\r\n` });
    expect((await reply(1, 200, CALLEE)).match(/^m=.*$/gm)).toEqual([
      expect.stringMatching(/^m=audio \d+ RTP\/AVP 0 101$/),
      'm=video 0 RTP/AVP 31',
    ]);
  });

  test('no common codec: 488, and another branch may still answer', async () => {
    await invite({ sdp: plainBody({ formats: '0' }) });
    await expect(reply(1, 200, plainBody({ formats: '8' }))).rejects.toMatchObject({ status: 488 });
    expect(call.isAnswered).toBe(false);
    expect(await reply(2, 200, CALLEE)).toContain('m=audio');
  });

  test('a refused audio (port 0) is refused on', async () => {
    await invite();
    expect(await reply(1, 200, plainBody({ port: 0 }))).toContain('m=audio 0 RTP/AVP');
    expect(parties().caller.flow).toBeNull();
  });

  test('an offer that can not be used leaves nothing behind', async () => {
    await expect(invite({ sdp: plainBody({ formats: '18' }) })).rejects.toMatchObject({ status: 488 });
    expect(call.isEmpty).toBe(true);
  });

  test('no ports', async () => {
    engine.endpointsMax = 1;
    await expect(invite()).rejects.toThrow('no free port');
  });
});

describe('early media', () => {
  test('is heard with the 183, and goes on with the 200', async () => {
    await invite();
    const early = await reply(1, 183, CALLEE);
    expect(parties().caller.peer).toBe(parties().callee);
    expect(call.isAnswered).toBe(false);
    expect(await reply(1, 200, CALLEE)).toBe(early);
    expect(call.isAnswered).toBe(true);
  });

  test('the 200 may answer otherwise than the 183', async () => {
    await invite();
    const early = await reply(1, 183, CALLEE);
    const answer = await reply(1, 200, OTHER);
    expect(parseSdp(answer).audio!.codecs[0]?.pt).toBe(8);
    expect(version(answer)).toBe(version(early) + 1);
    expect(parties().callee.flow?.remote.port).toBe(6000);
  });

  test('an UPDATE before the answer, and the answer repeated in the 200', async () => {
    await invite();
    const early = await reply(1, 183, CALLEE);
    const update = await send(body(0, 1, CALLER, { method: 'UPDATE', cseq: 3 }));
    expect(parseSdp(update).audio!.port).toBe(20_002);
    await send(body(1, 0, CALLEE, { method: 'UPDATE', cseq: 3, status: 200 }));
    expect(await reply(1, 200, CALLEE)).toBe(early);
    expect(call.isAnswered).toBe(true);
  });
});

describe('forking', () => {
  test('the last early answer is heard, the first final one wins', async () => {
    await invite();
    await reply(1, 183, CALLEE);
    await reply(2, 183, OTHER);
    expect(parties().callee.flow?.remote.port).toBe(6000);
    await reply(1, 200, CALLEE);
    expect(parties().callee.flow?.remote.port).toBe(5000);
    await expect(reply(2, 200, OTHER)).rejects.toMatchObject({
      status: 488,
      message: 'another leg has answered',
    });
    expect(parties().callee.flow?.remote.port).toBe(5000);
  });

  test('to a phone and a browser: the one that answers stays, the other side is given back', async () => {
    const bodies = await call.sdp(body(0, LEG_ANY, CALLER, { targetVariants: ['plain', 'webrtc'] }));
    expect(bodies.plain).toContain('RTP/AVP 0 8 101');
    expect(bodies.webrtc).toContain('UDP/TLS/RTP/SAVPF 0 8 101');
    expect(bodies.webrtc).toContain('a=setup:actpass');
    await reply(2, 200, BROWSER_PCMU, { legVariant: 'webrtc' });
    const [caller, plain, webrtc] = engine.endpoints;
    expect(caller!.peer).toBe(webrtc);
    expect(plain!.released).toBe(true);
    expect(webrtc!.released).toBe(false);
    expect(call.endpoints).toHaveLength(2);
  });

  test('a branch that fails during its early media falls silent', async () => {
    await invite();
    await reply(1, 183, CALLEE);
    await call.closeLeg(1);
    expect(parties().callee.flow).toBeNull();
    expect(parties().caller.peer).toBeNull();
    await reply(2, 200, OTHER);
    expect(parties().caller.peer).toBe(parties().callee);
  });

  test('a second browser does not take over what the first has joined', async () => {
    await call.sdp(body(0, LEG_ANY, CALLER, { targetVariants: ['webrtc'] }));
    await reply(1, 183, BROWSER_PCMU, { legVariant: 'webrtc' });
    const bridges = engine.bridges;
    await reply(2, 183, browserAnswer('0', [], 'efgh'), { legVariant: 'webrtc' });
    expect(engine.bridges).toBe(bridges);
  });
});

describe('re-INVITE', () => {
  const cases: [what: string, sdp: string, offered: string, answer: string, answered: string][] = [
    [
      'a=sendonly',
      plainBody({ address: '192.0.2.1', lines: ['a=sendonly'] }),
      'sendonly',
      'recvonly',
      'recvonly',
    ],
    ['c=0.0.0.0', plainBody({ address: '0.0.0.0' }), 'sendonly', 'recvonly', 'recvonly'],
    ['a=inactive', plainBody({ lines: ['a=inactive'] }), 'inactive', 'inactive', 'inactive'],
    [
      'a=sendonly to a phone that ignores it',
      plainBody({ lines: ['a=sendonly'] }),
      'sendonly',
      'sendrecv',
      'recvonly',
    ],
  ];
  for (const leg of [0, 1]) {
    test.each(cases)(
      `hold by leg ${leg} with %s, and resume`,
      async (_what, sdp, offered, answer, answered) => {
        await established();
        const other = 1 - leg;
        const offer = await send(body(leg, other, sdp, { cseq: 2 }));
        expect(parseSdp(offer).audio?.direction).toBe(offered);
        expect(call.isHeld).toBe(false);
        const held = plainBody({ address: '192.0.2.9', formats: '0', lines: [`a=${answer}`] });
        const heldAnswer = await send(body(other, leg, held, { cseq: 2, status: 200 }));
        expect(parseSdp(heldAnswer).audio?.direction).toBe(answered);
        const holder = leg === 0 ? parties().caller : parties().callee;
        expect(holder.flow?.sendEnabled).toBe(false);
        expect(holder.peer?.flow?.receiveEnabled).toBe(false);
        expect(call.isHeld).toBe(true);

        await send(body(leg, other, leg === 0 ? CALLER : CALLEE, { cseq: 3 }));
        await send(body(other, leg, leg === 0 ? CALLEE : CALLER, { cseq: 3, status: 200 }));
        expect(holder.flow).toMatchObject({ sendEnabled: true, receiveEnabled: true });
        expect(call.isHeld).toBe(false);
      },
    );
  }

  test('new ports', async () => {
    await established();
    await send(body(1, 0, plainBody({ address: '192.0.2.2', port: 5555, formats: '0' }), { cseq: 7 }));
    expect(parties().callee.flow?.remote.port).toBe(5000);
    await send(body(0, 1, CALLER, { cseq: 7, status: 200 }));
    expect(parties().callee.flow?.remote.port).toBe(5555);
    expect(engine.endpoints).toHaveLength(2);
  });

  test('our ports stay, and the version grows by one with each change', async () => {
    const first = await invite();
    await reply(1, 200, CALLEE);
    const hold = await send(body(0, 1, plainBody({ lines: ['a=sendonly'] }), { cseq: 2 }));
    expect(parseSdp(hold).audio?.port).toBe(parseSdp(first).audio?.port);
    expect(version(hold)).toBe(version(first) + 1);
    expect(hold.split('\r\n')[1]?.split(' ')[1]).toBe(first.split('\r\n')[1]?.split(' ')[1]);
  });

  test('one that failed changes nothing; the next one is answered', async () => {
    await established();
    await send(body(0, 1, plainBody({ lines: ['a=sendonly'], port: 4444 }), { cseq: 2 }));
    // 491 or the like: the switch says nothing of it.
    expect(parties().caller.flow).toMatchObject({ sendEnabled: true, remote: { port: 4000 } });
    await send(body(1, 0, plainBody({ formats: '0', lines: ['a=inactive'] }), { cseq: 1 }));
    await send(body(0, 1, plainBody({ formats: '0', lines: ['a=inactive'] }), { cseq: 1, status: 200 }));
    expect(parties().caller.flow).toMatchObject({ sendEnabled: false, receiveEnabled: false });
  });

  test('both at once: each answer belongs to its own offer', async () => {
    await established();
    const ofCaller = plainBody({ address: '192.0.2.1', port: 4444, formats: '0' });
    const ofCallee = plainBody({ address: '192.0.2.2', port: 5555, formats: '0' });
    await send(body(0, 1, ofCaller, { cseq: 2 }));
    await send(body(1, 0, ofCallee, { cseq: 2 }));
    await send(body(1, 0, CALLEE, { cseq: 2, status: 200 }));
    expect(parties().caller.flow?.remote.port).toBe(4444);
    expect(parties().callee.flow?.remote.port).toBe(5000);
  });

  test('a line that was refused once stays in later offers', async () => {
    await invite({ sdp: `${CALLER}m=video 4002 RTP/AVP 31\r\n` });
    await reply(1, 200, CALLEE);
    const offer = await send(body(1, 0, CALLEE, { cseq: 1 }));
    expect(offer.match(/^m=.*$/gm)).toEqual([expect.stringMatching(/^m=audio/), 'm=video 0 RTP/AVP 31']);
  });
});

describe('delayed offer', () => {
  test('offer in the 200, answer in the ACK', async () => {
    const offer = await reply(1, 200, CALLEE);
    expect(parseSdp(offer).audio?.codecs.map(({ pt }) => pt)).toEqual([0, 101]);
    expect(engine.endpoints.every((endpoint) => endpoint.flow === null)).toBe(true);
    // The 200 again, as the ACK is late.
    expect(await reply(1, 200, CALLEE)).toBe(offer);
    const answer = await send(body(0, 1, CALLER, { method: 'ACK' }));
    expect(parseSdp(answer).audio?.codecs.map(({ pt }) => pt)).toEqual([0, 101]);
    expect(await send(body(0, 1, CALLER, { method: 'ACK' }))).toBe(answer);
    const { callee: callerSide, caller: calleeSide } = parties();
    expect(callerSide.peer).toBe(calleeSide);
    expect(calleeSide.flow?.remote.port).toBe(5000);
    expect(call.isAnswered).toBe(true);
  });

  test('offer in a reliable 183, answer in the PRACK, another offer in a second PRACK', async () => {
    await reply(1, 183, CALLEE);
    await send(body(0, 1, CALLER, { method: 'PRACK', cseq: 2 }));
    expect(parties().caller.peer).toBe(parties().callee);
    const offer = await send(body(0, 1, plainBody({ lines: ['a=sendonly'] }), { method: 'PRACK', cseq: 3 }));
    expect(parseSdp(offer).audio?.direction).toBe('sendonly');
    await send(body(1, 0, CALLEE, { method: 'PRACK', cseq: 3, status: 200 }));
    expect(call.isHeld).toBe(true);
  });

  test('a re-INVITE without a body, with the numbers of the other side', async () => {
    await established();
    // From the callee, whose numbers begin at 1 like the caller's.
    const offer = await send(body(0, 1, CALLER, { cseq: 1, status: 200 }));
    expect(offer).toContain('m=audio 20002');
    await send(body(1, 0, plainBody({ formats: '0', lines: ['a=sendonly'] }), { method: 'ACK' }));
    expect(call.isHeld).toBe(true);
  });
});

describe('browsers', () => {
  test('a browser calls a phone', async () => {
    const offer = await invite({ sdp: CHROMIUM, legVariant: 'webrtc' });
    expect(offer).toContain('RTP/AVP 111 9 0 8 110 126');
    const answer = await reply(1, 200, CALLEE, { targetVariants: ['webrtc'] });
    expect(answer).toContain('UDP/TLS/RTP/SAVPF 0');
    expect(answer).toContain('a=setup:passive');
    expect(answer).toContain('a=mid:0');
    expect(answer).not.toContain('a=extmap');
    expect(parties().caller.prepared).toBe(1);
  });

  test('MID is agreed on only under the id that mediasoup writes, or when there is no other way', async () => {
    const offer = (lines: string[]) => browserAnswer('0', lines).replace('a=setup:active', 'a=setup:actpass');
    await invite({ sdp: offer(['a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid']) });
    expect(await reply(1, 200, CALLEE)).toContain('a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid');
    const nameless = offer(['a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid']).replace(/a=ssrc.*\r\n/, '');
    await send(body(0, 1, nameless, { cseq: 2 }));
    expect(await reply(1, 200, CALLEE, { cseq: 2 })).toContain(
      'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    );
  });

  test('a phone registered over WebSocket that is no browser gets what it understands', async () => {
    await invite({ legVariant: 'webrtc' });
    expect(await reply(1, 200, CALLEE, { targetVariants: ['webrtc'] })).toContain('RTP/AVP 0 101');
  });

  test('an answer in another profile than the offer is refused', async () => {
    await invite();
    await expect(reply(1, 200, BROWSER_PCMU)).rejects.toMatchObject({ status: 488 });
  });
});

describe('rtcp-mux on plain legs', () => {
  test('is answered when offered, and not offered', async () => {
    const offer = await invite({ sdp: `${CALLER}a=rtcp-mux\r\n` });
    expect(offer).not.toContain('rtcp-mux');
    expect(await reply(1, 200, `${CALLEE}a=rtcp-mux\r\n`)).toContain('a=rtcp-mux');
    expect(parties().caller.flow?.rtcpMux).toBe(true);
    expect(parties().callee.flow?.rtcpMux).toBe(false);
  });
});

test('after its end it takes nothing more', async () => {
  await established();
  await call.close();
  expect(engine.closed).toBe(true);
  expect(call.isEmpty).toBe(true);
  await expect(invite()).rejects.toThrow('closed');
});

test('what comes at once is done in order', async () => {
  const [offer, answer] = await Promise.all([invite(), reply(1, 200, CALLEE)]);
  expect(offer).toContain('m=audio');
  expect(parseSdp(answer).audio?.codecs[0]?.pt).toBe(0);
});
