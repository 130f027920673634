/**
 * What becomes of a datagram: dropped for a cause that is counted, taken in (RTCP), or sent on in the slot in which it
 * came: between a phone and mediasoup, or from phone to phone. From phone to phone it passes what it would pass on its
 * way through mediasoup, the stream in of one leg and the stream out of the other, so that a call can change
 * between the two ways and neither phone notices.
 */
import { F_ADDRESS, F_LENGTH, F_PORT, FRAME_HEADER_BYTES } from '../abi';
import {
  CFG_IN_SSRC,
  CFG_MEDIASOUP,
  CFG_MEDIASOUP_PORT,
  CFGF_MEDIASOUP,
  CFGF_RECEIVE,
  CFGF_SEND,
  EDGE_PAYLOAD_BYTES,
  K_BAD_PACKET,
  K_BAD_SEQUENCE,
  K_HELD,
  K_NO_LEG,
  K_NO_PATH,
  K_NOT_LATCHED,
  K_PACKETS_IN,
  K_PACKETS_OUT,
  K_RTCP_IN,
  K_UNKNOWN_PT,
  K_WRONG_SOURCE,
  PT_NONE,
  TOKEN_MEDIASOUP,
  TOKEN_RTCP,
} from './abi';
import { count } from './counters';
import { isSource, latch, latched, latchHeard, latchRtcp, mayLatch, takesRtcp } from './latch';
import {
  clockRate,
  L_HEARD_US,
  L_OUT_SSRC,
  L_TO,
  L_TO_PORT,
  legAt,
  legByMediasoup,
  legConfig,
  legHas,
  legIn,
  legOut,
  legPeer,
  legSlot,
  ptIn,
  ptOut,
} from './leg';
import { emit } from './output';
import {
  looksLikeRtcp,
  parseRtp,
  rewriteRtp,
  rtpExtensionBytes,
  rtpPayloadBytes,
  rtpPt,
  rtpSequence,
  rtpSsrc,
  rtpTimestamp,
  stripExtension,
} from './packet';
import { hearRtcp, validRtcp } from './rtcp-read';
import {
  outMark,
  outSequence,
  outTimestamp,
  streamHear,
  streamPause,
  streamSend,
  streamSkip,
} from './stream';

/** Handles the datagram of a receive slot that came by the socket `token`. */
export function relay(frame: usize, token: u32, nowUs: f64): void {
  const length = load<u32>(frame, F_LENGTH);
  if (length == 0) return; // to keep a NAT open (RFC 6263 4.1), or cut by the host, which has counted it
  const leg =
    token == TOKEN_MEDIASOUP
      ? legByMediasoup(frame + F_ADDRESS, load<u16>(frame, F_PORT) as u32)
      : legAt(token >>> 1);
  if (leg == 0) return count(K_NO_LEG);
  if (length < 2 || length > EDGE_PAYLOAD_BYTES) return count(K_BAD_PACKET);
  if (token == TOKEN_MEDIASOUP) fromMediasoup(leg, frame + FRAME_HEADER_BYTES, length, nowUs);
  else fromPhone(leg, frame, length, (token & TOKEN_RTCP) != 0, nowUs);
}

function fromPhone(leg: usize, frame: usize, length: u32, rtcpPort: bool, nowUs: f64): void {
  const ptr = frame + FRAME_HEADER_BYTES;
  if (rtcpPort || looksLikeRtcp(ptr)) rtcpFromPhone(leg, frame, length, rtcpPort, nowUs);
  else rtpFromPhone(leg, frame, ptr, length, nowUs);
}

function dropSource(leg: usize): void {
  count(latched(leg) ? K_WRONG_SOURCE : K_NOT_LATCHED);
}

function rtcpFromPhone(leg: usize, frame: usize, length: u32, ownPort: bool, nowUs: f64): void {
  const ptr = frame + FRAME_HEADER_BYTES;
  const port = load<u16>(frame, F_PORT) as u32;
  if (!validRtcp(ptr, length)) return count(K_BAD_PACKET);
  if (!takesRtcp(leg, frame + F_ADDRESS, port, ownPort)) return dropSource(leg);
  if (ownPort) latchRtcp(leg, frame + F_ADDRESS, port);
  count(K_RTCP_IN);
  hearRtcp(ptr, length, legIn(leg), legOut(leg), load<u32>(leg, L_OUT_SSRC), nowUs);
}

/** A packet must hold together, come from the right source and have a payload type that was negotiated. */
function rtpFromPhone(leg: usize, frame: usize, ptr: usize, length: u32, nowUs: f64): void {
  if (!parseRtp(ptr, length)) return count(K_BAD_PACKET);
  const address = frame + F_ADDRESS;
  const port = load<u16>(frame, F_PORT) as u32;
  const known = isSource(leg, address, port);
  if (!known && !mayLatch(leg, address, port, nowUs)) return dropSource(leg);
  const pt = ptIn(leg, rtpPt);
  if (pt == PT_NONE) {
    if (known) streamSkip(legIn(leg), rtpSsrc, rtpSequence);
    return count(K_UNKNOWN_PT);
  }
  if (!known) latch(leg, address, port);
  latchHeard(leg, nowUs);
  const rate = clockRate(leg, rtpPt);
  const heard = streamHear(legIn(leg), rtpSsrc, rtpSequence, rtpTimestamp, rate, length, nowUs);
  if (!heard) return count(K_BAD_SEQUENCE);
  store<f64>(leg, nowUs, L_HEARD_US);
  count(K_PACKETS_IN);
  const peer = legPeer(leg);
  if (!legHas(leg, CFGF_RECEIVE) || (peer == 0 && !legHas(leg, CFGF_MEDIASOUP))) {
    streamPause(legIn(leg));
    return count(legHas(leg, CFGF_RECEIVE) ? K_NO_PATH : K_HELD);
  }
  if (peer != 0) toPeer(leg, peer, ptr, length, pt, rate, nowUs);
  else toMediasoup(leg, ptr, length, pt, rate, nowUs);
}

/** Phone to phone: the fields that the packet would have on its way through mediasoup are those that the peer hears. */
function toPeer(leg: usize, peer: usize, ptr: usize, length: u32, pt: u32, rate: u32, nowUs: f64): void {
  const bytes = length - rtpExtensionBytes;
  streamSend(legIn(leg), rtpSequence, rtpTimestamp, rate, bytes, rtpPayloadBytes, nowUs);
  const ssrc = load<u32>(legConfig(leg), CFG_IN_SSRC);
  hearForPhone(peer, ptr, length, pt, ssrc, outSequence, outTimestamp, outMark, nowUs);
}

function toMediasoup(leg: usize, ptr: usize, length: u32, pt: u32, rate: u32, nowUs: f64): void {
  const stream = legIn(leg);
  const config = legConfig(leg);
  const bytes = length - rtpExtensionBytes;
  const start = stripExtension(ptr);
  streamSend(stream, rtpSequence, rtpTimestamp, rate, bytes, rtpPayloadBytes, nowUs);
  rewriteRtp(start, pt, outMark, outSequence, outTimestamp, load<u32>(config, CFG_IN_SSRC));
  const port = load<u16>(config, CFG_MEDIASOUP_PORT) as u32;
  emit(TOKEN_MEDIASOUP, start, bytes, config + CFG_MEDIASOUP, port);
}

function fromMediasoup(leg: usize, ptr: usize, length: u32, nowUs: f64): void {
  if (looksLikeRtcp(ptr)) {
    if (!validRtcp(ptr, length)) return count(K_BAD_PACKET);
    count(K_RTCP_IN);
    hearRtcp(ptr, length, legOut(leg), legIn(leg), load<u32>(legConfig(leg), CFG_IN_SSRC), nowUs);
    return;
  }
  if (!parseRtp(ptr, length)) return count(K_BAD_PACKET);
  hearForPhone(leg, ptr, length, rtpPt, rtpSsrc, rtpSequence, rtpTimestamp, false, nowUs);
}

/** A packet for the phone of `leg`, with the Router's payload type: `ssrc`, `sequence` and `timestamp` as it is heard. */
function hearForPhone(
  leg: usize,
  ptr: usize,
  length: u32,
  routerPt: u32,
  ssrc: u32,
  sequence: u32,
  timestamp: u32,
  mark: bool,
  nowUs: f64,
): void {
  const stream = legOut(leg);
  const pt = ptOut(leg, routerPt);
  if (pt == PT_NONE) {
    streamSkip(stream, ssrc, sequence);
    return count(K_UNKNOWN_PT);
  }
  const rate = clockRate(leg, pt);
  if (!streamHear(stream, ssrc, sequence, timestamp, rate, length, nowUs)) return count(K_BAD_SEQUENCE);
  const port = load<u32>(leg, L_TO_PORT);
  if (port == 0 || !legHas(leg, CFGF_SEND)) {
    streamPause(stream);
    return count(legHas(leg, CFGF_SEND) ? K_NO_PATH : K_HELD);
  }
  const bytes = length - rtpExtensionBytes;
  const start = stripExtension(ptr);
  streamSend(stream, sequence, timestamp, rate, bytes, rtpPayloadBytes, nowUs);
  rewriteRtp(start, pt, mark || outMark, outSequence, outTimestamp, load<u32>(leg, L_OUT_SSRC));
  count(K_PACKETS_OUT);
  emit(legSlot(leg) << 1, start, bytes, leg + L_TO, port);
}
