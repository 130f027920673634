import { describe, expect, test } from 'vitest';
import { agree, codecsToOffer, type CodecMapping } from '../../control/agreement.ts';
import { assignPayloadTypes } from '../../sdp/codec.ts';
import type { RemoteAudio } from '../../sdp/description.ts';
import { parseSdp } from '../../sdp/parse.ts';
import { BARESIP, browserAnswer, CHROMIUM, LINPHONE, plainBody, SIPP } from '../support/bodies.ts';

function audio(text: string): RemoteAudio {
  return parseSdp(text).audio!;
}

function outline(mappings: readonly CodecMapping[]): string[] {
  return mappings.map(({ kind, partyPt, routerPt }) => `${kind.name} ${partyPt}=${routerPt}`);
}

/** What is agreed when the call begins with `offer`. */
function agreement(offer: string, answer: string) {
  return agree(audio(offer), audio(answer), assignPayloadTypes(audio(offer).codecs));
}

const EVENTS_97 = ['a=rtpmap:97 telephone-event/8000', 'a=fmtp:97 0-16'];

describe('an answer', () => {
  test('of one codec: both use it', () => {
    const result = agreement(BARESIP, SIPP);
    expect(result.answer.map(({ pt, kind }) => `${pt} ${kind.name}`)).toEqual(['0 PCMU']);
    expect(outline(result.offerer.receive)).toEqual(['PCMU 0=0']);
    expect(outline(result.answerer.receive)).toEqual(['PCMU 0=0']);
  });

  test('with other payload types: each party keeps its own', () => {
    const { offerer, answerer, answer } = agreement(
      plainBody({
        formats: '96 101',
        lines: ['a=rtpmap:96 opus/48000/2', 'a=rtpmap:101 telephone-event/8000'],
      }),
      plainBody({
        formats: '111 97',
        lines: ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 stereo=1', ...EVENTS_97],
      }),
    );
    expect(answer.map(({ pt, fmtp }) => `${pt} ${fmtp}`)).toEqual(['96 stereo=1', '101 0-16']);
    expect(outline(offerer.send)).toEqual(['opus 96=96', 'telephone-event 101=101']);
    expect(outline(answerer.send)).toEqual(['opus 111=96', 'telephone-event 97=101']);
    // By the offer's numbers, as the RFC says, or by its own.
    expect(outline(answerer.receive)).toEqual([
      'opus 96=96',
      'telephone-event 101=101',
      'opus 111=96',
      'telephone-event 97=101',
    ]);
  });

  test('whose own number is another codec in the offer is understood by the offer', () => {
    const { answerer } = agreement(
      plainBody({ formats: '96 97', lines: ['a=rtpmap:96 opus/48000/2', EVENTS_97[0]!] }),
      plainBody({
        formats: '97 96',
        lines: ['a=rtpmap:97 opus/48000/2', 'a=rtpmap:96 telephone-event/8000'],
      }),
    );
    expect(outline(answerer.receive)).toEqual(['opus 96=96', 'telephone-event 97=97']);
  });

  test('of several codecs: the offerer may use the first, the answerer all', () => {
    const { answer, offerer, answerer } = agreement(plainBody(), plainBody({ formats: '8 0 101' }));
    expect(answer.map(({ pt }) => pt)).toEqual([8, 101]);
    expect(outline(offerer.receive)).toEqual(['PCMA 8=8', 'telephone-event 101=101']);
    expect(outline(answerer.receive)).toEqual(['PCMA 8=8', 'PCMU 0=0', 'telephone-event 101=101']);
    expect(outline(offerer.send)).toEqual(['PCMA 8=8', 'PCMU 0=0', 'telephone-event 101=101']);
  });

  test('events first in the list do not become the codec to talk with', () => {
    const { offerer } = agreement(plainBody(), plainBody({ formats: '101 0' }));
    expect(offerer.receive[0]?.kind.name).toBe('PCMU');
  });

  test.each([
    ['no common codec', plainBody({ formats: '0' }), plainBody({ formats: '8' })],
    ['only events in common', plainBody({ formats: '0 101' }), plainBody({ formats: '8 101' })],
  ])('%s: 488', (_name, offer, answer) => {
    expect(() => agreement(offer, answer)).toThrow(expect.objectContaining({ status: 488 }));
  });
});

describe('a browser and a phone', () => {
  test('that has only G.711 talk G.711, as browsers have it too', () => {
    const { answer } = agreement(CHROMIUM, SIPP);
    expect(answer.map(({ kind }) => kind.key)).toEqual(['PCMU/8000']);
  });

  test('with opus both', () => {
    const { answer, answerer } = agreement(CHROMIUM, LINPHONE);
    expect(answer.map(({ pt, kind }) => `${pt} ${kind.key}`)).toEqual([
      '111 opus/48000/2',
      '110 telephone-event/48000',
      '126 telephone-event/8000',
    ]);
    expect(outline(answerer.send)).toEqual([
      'opus 96=111',
      'telephone-event 101=110',
      'telephone-event 99=126',
    ]);
  });

  test('the browser answers with the numbers of the offer', () => {
    const { answerer } = agreement(
      BARESIP,
      browserAnswer('96 101', ['a=rtpmap:96 opus/48000/2', 'a=rtpmap:101 telephone-event/8000']),
    );
    expect(outline(answerer.receive)).toEqual(['opus 96=96', 'telephone-event 101=101']);
  });

  test("a browser's codec under another number than the call's is not offered on", () => {
    const pts = assignPayloadTypes(audio(BARESIP).codecs);
    const offered = codecsToOffer(audio(CHROMIUM), pts).map(({ kind, pt }) => `${pt} ${kind.key}`);
    // The call knows opus as 96 and events as 101 from the phone; the browser writes 111 and 126.
    expect(offered).toEqual(['9 G722/8000', '0 PCMU/8000', '8 PCMA/8000', '110 telephone-event/48000']);
  });
});

describe('direction', () => {
  const cases: [offer: string, answer: string, offererSends: boolean, answererSends: boolean][] = [
    ['sendrecv', 'sendrecv', true, true],
    ['sendonly', 'recvonly', true, false],
    ['sendonly', 'sendrecv', true, false],
    ['recvonly', 'sendonly', false, true],
    ['sendrecv', 'sendonly', false, true],
    ['sendrecv', 'inactive', false, false],
    ['inactive', 'sendrecv', false, false],
  ];
  test.each(cases)('offer %s, answer %s', (offer, answer, offererSends, answererSends) => {
    const body = (direction: string) => plainBody({ formats: '0', lines: [`a=${direction}`] });
    expect(agreement(body(offer), body(answer))).toMatchObject({ offererSends, answererSends });
  });
});
