/** Whatever comes, reading ends with a description or an SdpError, and what we write of it can be read. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agree, codecsToOffer } from '../../control/agreement.ts';
import { assignPayloadTypes } from '../../sdp/codec.ts';
import type { RemoteDescription } from '../../sdp/description.ts';
import { SdpError } from '../../sdp/error.ts';
import { parseSdp } from '../../sdp/parse.ts';
import { BARESIP, CHROMIUM, FIREFOX, LINPHONE, SIPP } from '../support/bodies.ts';

const SAMPLES = [BARESIP, CHROMIUM, FIREFOX, LINPHONE, SIPP];
const RUNS = { numRuns: 2_000 };

function tryParse(text: string): RemoteDescription | null {
  try {
    return parseSdp(text);
  } catch (error) {
    if (error instanceof SdpError) return null;
    throw error;
  }
}

/** A sample with some of its parts replaced, removed or repeated. */
const mutated = fc
  .tuple(
    fc.constantFrom(...SAMPLES),
    fc.array(
      fc.record({
        at: fc.nat(3_000),
        remove: fc.nat(12),
        insert: fc.oneof(
          fc.string({ maxLength: 8 }),
          fc.constantFrom(
            '\r\n',
            'm=audio 1 RTP/AVP 0\r\n',
            'c=IN IP6 ::1\r\n',
            '65536',
            '-1',
            '\0',
            'a=',
            ' ',
          ),
        ),
      }),
      { maxLength: 6 },
    ),
  )
  .map(([sample, edits]) =>
    edits.reduce((text, { at, remove, insert }) => {
      const from = at % text.length;
      return text.slice(0, from) + insert + text.slice(from + remove);
    }, sample),
  );

test('a mutated description is read or refused', () => {
  fc.assert(
    fc.property(mutated, (text) => {
      const audio = tryParse(text)?.audio;
      if (!audio) return;
      expect(audio.port).toBeGreaterThanOrEqual(1);
      expect(audio.port).toBeLessThanOrEqual(65_535);
      expect(audio.rtcpPort).toBeLessThanOrEqual(65_535);
      expect(new Set(audio.codecs.map(({ pt }) => pt)).size).toBe(audio.codecs.length);
    }),
    RUNS,
  );
});

test('of two that are read, an agreement uses only what both have', () => {
  fc.assert(
    fc.property(mutated, mutated, (offerText, answerText) => {
      const offer = tryParse(offerText)?.audio;
      const answer = tryParse(answerText)?.audio;
      if (!offer || !answer) return;
      const pts = assignPayloadTypes(offer.codecs);
      try {
        codecsToOffer(offer, pts);
        const { answer: common, offererSends, answererSends } = agree(offer, answer, pts);
        expect(common[0]!.kind.event).toBe(false);
        for (const { kind, pt } of common) {
          expect(offer.codecs.find((codec) => codec.kind === kind)?.pt).toBe(pt);
          expect(answer.codecs.some((codec) => codec.kind === kind)).toBe(true);
        }
        if (offer.direction === 'inactive') expect(offererSends || answererSends).toBe(false);
      } catch (error) {
        expect(error).toBeInstanceOf(SdpError);
      }
    }),
    RUNS,
  );
});
