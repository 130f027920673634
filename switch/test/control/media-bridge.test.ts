import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { parseAddress } from '../../../wasm-core/host/address.ts';
import { encodeText, type Frame } from '../../../wasm-core/host/frames.ts';
import { CoreLink } from '../../control/core-link.ts';
import { createLogger } from '../../control/log.ts';
import { MediaBridge } from '../../control/media-bridge.ts';
import { FakeMedia } from '../support/fake-media.ts';
import { FakeRealtime } from '../support/fake-realtime.ts';
import { until } from '../support/wait.ts';

let realtime: FakeRealtime;
let media: FakeMedia;
let bridge: MediaBridge;

beforeEach(() => {
  realtime = new FakeRealtime();
  media = new FakeMedia();
  const options = { setupTimeoutMs: 50, budgetUs: 1_000 };
  bridge = new MediaBridge(
    options,
    new CoreLink(realtime),
    media,
    createLogger({ level: 'silent', pretty: false }, 'test'),
  );
});

/** EF_MEDIA/MEDIA_OP_SDP: an INVITE of a browser that may go to both kinds of phones. */
function askSdp(id = 5): void {
  const variants = abi.VARIANT_PLAIN | abi.VARIANT_WEBRTC;
  const legs = 0 | (abi.LEG_UNKNOWN << 8) | (abi.VARIANT_WEBRTC << 16) | (variants << 24);
  const args = [id, 17, 3, legs, abi.METHOD_INVITE, 102];
  const address = parseAddress('192.0.2.7')!;
  realtime.effect(
    { kind: abi.EF_MEDIA, flags: abi.MEDIA_OP_SDP, address, port: 5060, args },
    encodeText('v=0'),
  );
}

const reply = (): Promise<Frame> =>
  until(() => realtime.sent.find((frame) => frame.kind === abi.EV_MEDIA_REPLY));

describe('media bridge', () => {
  it('asks with what the core said, and gives back both bodies', async () => {
    media.reply = async () => ({ id: 1, status: 200, bodies: { plain: 'plain-body', webrtc: 'wb' } });
    askSdp();
    const frame = await reply();
    expect(media.asked).toEqual([
      {
        call: '17.3',
        leg: 0,
        legVariant: 'webrtc',
        targetLeg: 255,
        targetVariants: ['plain', 'webrtc'],
        method: 'INVITE',
        status: 0,
        cseq: 102,
        sdp: 'v=0',
        source: '192.0.2.7',
      },
    ]);
    expect([0, 1, 2, 3].map((i) => frame.arg(i))).toEqual([5, 200, 10, 2]);
    expect(frame.text).toBe('plain-bodywb');
  });

  it('passes a refusal on', async () => {
    media.reply = async () => ({ id: 1, status: 488, reason: 'no common codec' });
    askSdp();
    expect((await reply()).arg(1)).toBe(488);
  });

  it('answers 503 when the media process is away', async () => {
    media.connected = false;
    askSdp();
    expect((await reply()).arg(1)).toBe(503);
    expect(media.asked).toEqual([]);
  });

  it('answers 503 when the connection is lost, and once only when the answer comes too late', async () => {
    media.reply = () => Promise.reject(new Error('lost'));
    askSdp(1);
    expect((await reply()).arg(1)).toBe(503);
    realtime.sent.length = 0;
    media.reply = () => new Promise((resolve) => setTimeout(resolve, 120, { id: 1, status: 200 }));
    askSdp(2);
    expect((await reply()).arg(1)).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(realtime.sent).toHaveLength(1);
    expect(bridge.pending).toBe(0);
  });

  it('measures each set-up', async () => {
    media.reply = () => new Promise((resolve) => setTimeout(resolve, 10, { id: 1, status: 200 }));
    askSdp();
    await reply();
    expect(bridge.histogram.snapshot().summary.maxUs).toBeGreaterThan(8_000);
    expect(bridge.histogram.breaches).toBe(1);
  });

  it('closes legs and calls, and makes up for what the media process missed', async () => {
    realtime.effect({ kind: abi.EF_MEDIA, flags: abi.MEDIA_OP_CLOSE_LEG, args: [0, 17, 3, 2] });
    await until(() => media.asked.length === 1);
    media.connected = false;
    realtime.effect({ kind: abi.EF_MEDIA, flags: abi.MEDIA_OP_CLOSE_CALL, args: [0, 17, 3] });
    await new Promise((resolve) => setTimeout(resolve, 5));
    media.connected = true;
    realtime.effect({ kind: abi.EF_MEDIA, flags: abi.MEDIA_OP_CLOSE_CALL, args: [0, 18, 1] });
    await until(() => media.asked.length === 3);
    expect(media.asked).toEqual([{ close: '17.3', leg: 2 }, { close: '18.1' }, { close: '17.3' }]);
  });

  it('hands an offer of the media process to the core, and what became of it back', async () => {
    media.onEvent({ event: 'offer', id: 9, call: '17.3', leg: 1, sdp: 'v=0' });
    const [frame] = realtime.sent;
    expect(frame?.kind).toBe(abi.EV_OFFER);
    expect([[0, 1, 2, 3].map((i) => frame?.arg(i)), frame?.text]).toEqual([[9, 17, 3, 1], 'v=0']);
    const args = [9, 17, 3, 1, 200];
    realtime.effect({ kind: abi.EF_MEDIA, flags: abi.MEDIA_OP_OFFERED, args }, encodeText('answer'));
    await until(() => media.asked.length === 1);
    expect(media.asked).toEqual([{ call: '17.3', leg: 1, offer: 9, status: 200, sdp: 'answer' }]);
  });

  it('tells the core of a call without media', () => {
    media.onEvent({ event: 'mediaTimeout', call: '17.3' });
    const [frame] = realtime.sent;
    expect(frame?.kind).toBe(abi.EV_MEDIA_TIMEOUT);
    expect([frame?.arg(1), frame?.arg(2)]).toEqual([17, 3]);
  });
});
