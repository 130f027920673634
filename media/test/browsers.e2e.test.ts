/** Real Chromium against the media process: what its SDP and mediasoup's ICE, DTLS and RTP make of each other. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MediaClient } from '../client.ts';
import type { SdpVariant } from '../protocol.ts';
import { parseSdp } from '../sdp/parse.ts';
import { plainBody } from './support/bodies.ts';
import { BrowserPhone, startBrowser } from './support/browser.ts';
import { MediaProcess, nextEvent } from './support/media-process.ts';
import { RtpPeer } from './support/rtp-peer.ts';

let media: MediaProcess;
let client: MediaClient;
let browser: Browser;
let call: string;
let calls = 0;
let cseq = 0;

beforeAll(async () => {
  media = new MediaProcess({ ports: '31300-31399', webrtcPort: 45_520 });
  [client, browser] = await Promise.all([media.client(), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await media?.stop();
});
beforeEach(() => {
  call = `${++calls}.1`;
});
afterEach(async () => {
  await client.closeCall(call);
  expect((await client.stats()).totals).toMatchObject({ calls: 0, legs: 0, portsUsed: 0 });
});

interface Party {
  leg: number;
  variant: SdpVariant;
}

async function pass(from: Party, to: Party, sdp: string, status: number): Promise<string> {
  const reply = await client.sdp({
    call,
    leg: from.leg,
    legVariant: from.variant,
    targetLeg: to.leg === 1 && cseq === 1 ? 255 : to.leg,
    targetVariants: [to.variant],
    method: 'INVITE',
    cseq,
    status,
    sdp,
    source: '127.0.0.1',
  });
  expect(reply).toMatchObject({ status: 200 });
  return reply.bodies![to.variant]!;
}

/** An offer and its answer through the switch. @returns the answer as the offerer gets it. */
async function exchange(from: Party, to: Party, offer: string, answer: (offer: string) => Promise<string>) {
  cseq++;
  return await pass(to, from, await answer(await pass(from, to, offer, 0)), 200);
}

function begin(caller: SdpVariant, callee: SdpVariant): [Party, Party] {
  cseq = 0;
  return [
    { leg: 0, variant: caller },
    { leg: 1, variant: callee },
  ];
}

async function hearsTone(phone: BrowserPhone, hz: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const heard = await phone.hears();
        return heard.db > -50 && Math.abs(heard.hz - hz) < 40;
      },
      { timeout: 10_000, message: `a tone of ${hz} Hz` },
    )
    .toBe(true);
}

const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('two browsers', () => {
  let caller: BrowserPhone;
  let callee: BrowserPhone;
  beforeEach(async () => {
    caller = await BrowserPhone.open(browser, 440);
    callee = await BrowserPhone.open(browser, 1_000);
  });
  afterEach(async () => {
    await caller.close();
    await callee.close();
  });

  test('hear each other in opus; hold by one, resume, hold by the other', async () => {
    const [a, b] = begin('webrtc', 'webrtc');
    await caller.accept(await exchange(a, b, await caller.offer(), (offer) => callee.answer(offer)));
    await Promise.all([hearsTone(caller, 1_000), hearsTone(callee, 440)]);
    const { legs } = await client.stats(call);
    expect(legs!.map(({ codec, variant }) => `${variant} ${codec}`)).toEqual([
      'webrtc opus/48000/2',
      'webrtc opus/48000/2',
    ]);

    await caller.accept(
      await exchange(a, b, await caller.offer('sendonly'), (offer) => callee.answer(offer)),
    );
    await rest(300);
    const held = await caller.packetsReceived();
    await rest(500);
    expect(await caller.packetsReceived()).toBe(held);
    await caller.accept(
      await exchange(a, b, await caller.offer('sendrecv'), (offer) => callee.answer(offer)),
    );
    await Promise.all([hearsTone(caller, 1_000), hearsTone(callee, 440)]);

    await callee.accept(
      await exchange(b, a, await callee.offer('inactive'), (offer) => caller.answer(offer)),
    );
    await callee.accept(
      await exchange(b, a, await callee.offer('sendrecv'), (offer) => caller.answer(offer)),
    );
    await Promise.all([hearsTone(caller, 1_000), hearsTone(callee, 440)]);
  });

  test('DTMF of one does not disturb, and statistics are there', async () => {
    const [a, b] = begin('webrtc', 'webrtc');
    await caller.accept(await exchange(a, b, await caller.offer(), (offer) => callee.answer(offer)));
    await hearsTone(callee, 440);
    await caller.press('12');
    await rest(1_500);
    await hearsTone(callee, 440);
    const { legs } = await client.stats(call);
    for (const leg of legs!) {
      expect(leg.packetsIn).toBeGreaterThan(50);
      expect(leg.mos).toBeGreaterThan(3.5);
      expect(leg.remote).toMatch(/^127\.0\.0\.1:\d+$|^\d+\.\d+\.\d+\.\d+:\d+$/);
    }
  });
});

/** 20 ms of a 1 kHz tone in PCMU: eight samples per period. */
const TONE_1K = String.fromCharCode(
  ...Array.from({ length: 160 }, (_, i) => [0xff, 0x9e, 0x98, 0x9e, 0xff, 0x1e, 0x18, 0x1e][i % 8]!),
);

describe('a browser and a phone', () => {
  let phone: RtpPeer;
  let other: BrowserPhone;
  beforeEach(async () => {
    phone = await RtpPeer.open();
    other = await BrowserPhone.open(browser, 440);
  });
  afterEach(async () => {
    phone.close();
    await other.close();
  });

  const sdp = () =>
    plainBody({ address: '127.0.0.1', port: phone.port, lines: ['a=rtpmap:101 telephone-event/8000'] });

  /** The phone sends its tone until the browser hears it. */
  async function hearsTalk(port: number): Promise<void> {
    const before = await other.packetsReceived();
    const sending = setInterval(() => phone.send({ pt: 0, ssrc: 77 }, TONE_1K, port), 20);
    try {
      await expect.poll(() => other.packetsReceived(), { timeout: 10_000 }).toBeGreaterThan(before + 10);
      await hearsTone(other, 1_000);
    } finally {
      clearInterval(sending);
    }
  }

  async function talk(port: number): Promise<void> {
    const sending = setInterval(() => phone.send({ pt: 0, ssrc: 77 }, TONE_1K, port), 20);
    try {
      await hearsTone(other, 1_000);
      await expect.poll(() => phone.received.length).toBeGreaterThan(20);
      expect(phone.received.at(-1)).toMatchObject({ pt: 0 });
      expect(phone.received.at(-1)!.payload).toHaveLength(160);
      await other.press('5');
      await expect
        .poll(() => phone.received.some(({ pt, payload }) => pt === 101 && payload[0] === '\x05'))
        .toBe(true);
    } finally {
      clearInterval(sending);
    }
  }

  test('the browser calls', async () => {
    const [a, b] = begin('webrtc', 'plain');
    let port = 0;
    const answer = await exchange(a, b, await other.offer(), async (offer) => {
      port = parseSdp(offer).audio!.port;
      return plainBody({
        address: '127.0.0.1',
        port: phone.port,
        formats: '0 101',
        lines: ['a=rtpmap:101 telephone-event/8000'],
      });
    });
    await other.accept(answer);
    await talk(port);
  });

  test('after the death of the worker the browser answers the offer of the switch, and both hear each other', async () => {
    const [a, b] = begin('webrtc', 'plain');
    let port = 0;
    const answer = (offer: string) => {
      port = parseSdp(offer).audio!.port;
      return Promise.resolve(plainBody({ address: '127.0.0.1', port: phone.port, formats: '0' }));
    };
    await other.accept(await exchange(a, b, await other.offer(), answer));
    await hearsTalk(port);
    const offered = nextEvent(client, 'offer');
    process.kill((await client.stats()).totals.workers[0]!.pid, 'SIGKILL');
    const { id, leg, sdp } = await offered;
    expect([leg, parseSdp(sdp).audio!.codecs.map(({ kind }) => kind.name)]).toEqual([0, ['PCMU']]);
    await client.offered({ call, leg, offer: id, status: 200, sdp: await other.answer(sdp) });
    const heard = phone.received.length;
    await hearsTalk(port);
    await expect.poll(() => phone.received.length).toBeGreaterThan(heard + 20);
  });

  test('after the death of the worker the browser can also restart ICE itself, then both hear each other', async () => {
    const [a, b] = begin('webrtc', 'plain');
    const answer = (offer: string) => {
      port = parseSdp(offer).audio!.port;
      return Promise.resolve(plainBody({ address: '127.0.0.1', port: phone.port, formats: '0' }));
    };
    let port = 0;
    await other.accept(await exchange(a, b, await other.offer(), answer));
    await hearsTalk(port);
    const replaced = nextEvent(client, 'workerReplaced');
    process.kill((await client.stats()).totals.workers[0]!.pid, 'SIGKILL');
    expect(await replaced).toMatchObject({ legsMoved: 1, webrtcLegsLost: 1 });
    await other.restartIce();
    await other.accept(await exchange(a, b, await other.offer(), answer));
    const heard = phone.received.length;
    await hearsTalk(port);
    await expect.poll(() => phone.received.length).toBeGreaterThan(heard + 20);
  });

  test('the phone calls', async () => {
    const [a, b] = begin('plain', 'webrtc');
    const answer = await exchange(a, b, sdp(), (offer) => other.answer(offer));
    await talk(parseSdp(answer).audio!.port);
  });
});
