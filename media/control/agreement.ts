/**
 * What two parties agree on (RFC 3264 section 6), pure. The switch stands between them and transcodes nothing, so the
 * offer goes on with its codecs, and the answer comes back with those that both have.
 */
import { type Codec, type CodecKey, type CodecKind, codecIn } from '../sdp/codec.ts';
import type { RemoteAudio } from '../sdp/description.ts';
import { receives, sends } from '../sdp/direction.ts';
import { SdpError } from '../sdp/error.ts';

/** Payload types of a call inside the switch, by codec; fixed for the life of the call. */
export type RouterPts = ReadonlyMap<CodecKey, number>;

/** A codec on its way between a party and the Router. */
export interface CodecMapping {
  kind: CodecKind;
  routerPt: number;
  partyPt: number;
}

/** What one party may send and receive after an answer. */
export interface PartyCodecs {
  /** From the party; the codec it talks with comes first. */
  receive: CodecMapping[];
  /** To the party. */
  send: CodecMapping[];
}

/** What follows from an offer and its answer. */
export interface Agreement {
  /** For the answer to the offerer: its own payload types, one codec to talk with and the events. */
  answer: Codec[];
  offerer: PartyCodecs;
  answerer: PartyCodecs;
  offererSends: boolean;
  answererSends: boolean;
}

function routerPt(pts: RouterPts, kind: CodecKind): number {
  const pt = pts.get(kind.key);
  if (pt === undefined) throw new Error(`no payload type for ${kind.key}`);
  return pt;
}

/**
 * mediasoup writes the Router's payload types towards browsers and can't map them (the edge does that for phones),
 * so a browser's codec under another number can't be used.
 */
function usable(audio: RemoteAudio, pts: RouterPts): Codec[] {
  if (audio.variant === 'plain') return audio.codecs;
  return audio.codecs.filter((codec) => codec.pt === routerPt(pts, codec.kind));
}

/** The codecs of an offer as they are offered to the other side. */
export function codecsToOffer(offer: RemoteAudio, pts: RouterPts): Codec[] {
  const codecs = usable(offer, pts).map((codec) => ({ ...codec, pt: routerPt(pts, codec.kind) }));
  if (codecs.every((codec) => codec.kind.event)) throw new SdpError(488, 'no codec that the call can use');
  return codecs;
}

/**
 * @param offer what the offerer wrote.
 * @param answer what the answerer wrote to the offer made by {@link codecsToOffer}.
 * @throws SdpError 488 when there is no common codec.
 */
export function agree(offer: RemoteAudio, answer: RemoteAudio, pts: RouterPts): Agreement {
  const offered = usable(offer, pts);
  const common = usable(answer, pts).filter((codec) => codecIn(offered, codec.kind));
  const chosen = common.find((codec) => !codec.kind.event);
  if (!chosen) throw new SdpError(488, 'no common codec');
  // One codec to talk with: mediasoup opens a stream only with the first one of its list.
  const talk = [chosen, ...common.filter((codec) => codec.kind.event)];
  const asOffered = (codec: Codec): Codec => ({ ...codec, pt: codecIn(offered, codec.kind)!.pt });
  const mapping = ({ kind, pt }: Codec): CodecMapping => ({
    kind,
    routerPt: routerPt(pts, kind),
    partyPt: pt,
  });
  const listening = [chosen, ...common.filter((codec) => codec !== chosen)];
  return {
    answer: talk.map(asOffered),
    offerer: {
      receive: talk.map(asOffered).map(mapping),
      send: listening.map(asOffered).map(mapping),
    },
    answerer: { receive: answererSending(listening.map(mapping), answer), send: talk.map(mapping) },
    offererSends: sends(offer.direction) && receives(answer.direction),
    answererSends: sends(answer.direction) && receives(offer.direction),
  };
}

/**
 * An answerer sends with the payload types of the offer (RFC 3264 6.1); phones that name others in their answer often
 * send with those, so where nothing contradicts it both are understood.
 */
function answererSending(listening: CodecMapping[], answer: RemoteAudio): CodecMapping[] {
  if (answer.variant === 'webrtc') return listening;
  const byOffer = listening.map((mapping) => ({ ...mapping, partyPt: mapping.routerPt }));
  const taken = new Set(byOffer.map((mapping) => mapping.partyPt));
  return [...byOffer, ...listening.filter((mapping) => !taken.has(mapping.partyPt))];
}
