/** RTP parameters in mediasoup's form, from what the parties have agreed; pure. */
import type { types } from 'mediasoup';
import { CODECS, type CodecKey, type CodecKind } from '../../sdp/codec.ts';
import { MID_EXTENSION_URI } from '../../sdp/parse.ts';
import type { CodecMapping, RouterPts } from '../agreement.ts';
import type { Flow } from '../engine.ts';

type Named = Pick<types.RtpCodecParameters, 'mimeType' | 'clockRate' | 'channels'>;

/**
 * mediasoup's consumers drop telephone-event, as it is no codec of its own to them (`supportedCodecPayloadTypes` in the
 * worker's Consumer). Under the name of a codec that nobody offers here its packets pass as they are; the names stay
 * inside the switch.
 */
const EVENTS_AS: Partial<Record<CodecKey, Named>> = {
  'telephone-event/8000': { mimeType: 'audio/SILK', clockRate: 8_000, channels: 1 },
  'telephone-event/48000': { mimeType: 'audio/SILK', clockRate: 24_000, channels: 1 },
};

function base(kind: CodecKind): Named {
  const event = EVENTS_AS[kind.key];
  if (event) return event;
  return { mimeType: `audio/${kind.name}`, clockRate: kind.clockRate, channels: kind.channels };
}

/** Every codec that may pass, under the call's payload types. */
export function routerCodecs(pts: RouterPts): types.RouterRtpCodecCapability[] {
  return CODECS.map((kind) => ({
    ...base(kind),
    kind: 'audio',
    preferredPayloadType: pts.get(kind.key)!,
  }));
}

/** What comes from the edge, which has mapped payload types and SSRC already. */
export function plainProducer(flow: Flow, ssrc: number, cname: string): types.RtpParameters {
  const seen = new Set<number>();
  const mappings = flow.receive.filter(({ routerPt }) => !seen.has(routerPt) && seen.add(routerPt));
  return {
    codecs: mappings.map(({ kind, routerPt }) => ({ ...base(kind), payloadType: routerPt })),
    encodings: [{ ssrc }],
    rtcp: { cname },
  };
}

/** What comes from a browser; null when it doesn't say how its packets are to be known. */
export function webRtcProducer(flow: Flow): types.RtpParameters | null {
  const { mid, webrtc } = flow.remote;
  if (webrtc === null) return null;
  const { ssrc, midExtension } = webrtc;
  if (ssrc === null && (mid === null || midExtension === null)) return null;
  return {
    ...(mid === null ? {} : { mid }),
    codecs: flow.receive.map(({ kind, partyPt }) => ({ ...base(kind), payloadType: partyPt })),
    headerExtensions: midExtension === null ? [] : [{ uri: MID_EXTENSION_URI, id: midExtension }],
    encodings: [ssrc === null ? {} : { ssrc }],
    rtcp: {},
  };
}

/** What a party may be sent. Without header extensions: their ids are the party's, and mediasoup would use its own. */
export function consumerCapabilities(send: readonly CodecMapping[]): types.RtpCapabilities {
  return {
    codecs: send.map(({ kind, routerPt }) => ({
      ...base(kind),
      kind: 'audio',
      preferredPayloadType: routerPt,
    })),
    headerExtensions: [],
  };
}
