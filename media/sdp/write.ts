/** Writes session descriptions (RFC 8866); those for browsers follow RFC 8829 and RFC 8839 for an ICE-lite agent. */
import { isIPv6 } from 'node:net';
import sdpTransform, { type Candidate, type MediaSection, type Session } from 'sdp-transform';
import type { LocalAudio, LocalCandidate, LocalDescription, LocalWebRtc, MediaLine } from './description.ts';
import { MID_EXTENSION_URI } from './parse.ts';

const USERNAME = 'strowger';

/** @returns the description with CRLF line ends. */
export function writeSdp(local: LocalDescription): string {
  const ipVer = isIPv6(local.address) ? 6 : 4;
  const { audio, audioIndex, lines } = local;
  const connection = { version: ipVer, ip: local.address };
  const session: Session = {
    version: 0,
    origin: {
      username: USERNAME,
      sessionId: local.sessionId,
      sessionVersion: local.version,
      netType: 'IN',
      ipVer,
      address: local.address,
    },
    name: '-',
    connection,
    timing: { start: 0, stop: 0 },
    media: lines.map((line, i) => (i === audioIndex && audio ? audioSection(line, audio) : refused(line))),
  };
  if (audio?.webrtc) session.icelite = 'ice-lite';
  const mid = lines[audioIndex]?.mid;
  // Refused lines are not in the bundle (RFC 8843 7.3.3).
  if (audio?.webrtc && mid != null) session.groups = [{ type: 'BUNDLE', mids: mid }];
  return sdpTransform.write(session);
}

function refused(line: MediaLine): MediaSection {
  const { type, protocol, formats } = line;
  const section: MediaSection = { type, port: 0, protocol, payloads: formats, rtp: [], fmtp: [] };
  return line.mid === null ? section : { ...section, mid: line.mid, direction: 'inactive' };
}

function audioSection(line: MediaLine, audio: LocalAudio): MediaSection {
  const section: MediaSection = {
    type: 'audio',
    port: audio.port,
    protocol: audio.protocol,
    payloads: audio.codecs.map((codec) => codec.pt).join(' '),
    rtp: audio.codecs.map(({ kind, pt }) => ({
      payload: pt,
      codec: kind.name,
      rate: kind.clockRate,
      ...(kind.channels > 1 ? { encoding: kind.channels } : {}),
    })),
    fmtp: audio.codecs
      .filter((codec) => codec.fmtp !== '')
      .map(({ pt, fmtp }) => ({ payload: pt, config: fmtp })),
    direction: audio.direction,
  };
  if (line.mid !== null) section.mid = line.mid;
  if (audio.ptime !== null) section.ptime = audio.ptime;
  if (audio.maxptime !== null) section.maxptime = audio.maxptime;
  if (audio.rtcpMux) section.rtcpMux = 'rtcp-mux';
  return audio.webrtc ? { ...section, ...webRtcAttributes(audio.webrtc) } : section;
}

function webRtcAttributes(webrtc: LocalWebRtc): Partial<MediaSection> {
  const [fingerprint] = webrtc.fingerprints;
  return {
    rtcpRsize: 'rtcp-rsize',
    iceUfrag: webrtc.iceUfrag,
    icePwd: webrtc.icePwd,
    candidates: webrtc.candidates.map(candidateLine),
    endOfCandidates: 'end-of-candidates',
    ...(fingerprint ? { fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value } } : {}),
    setup: webrtc.setup,
    msid: [{ id: webrtc.stream, appdata: `${webrtc.stream}-audio` }],
    ...(webrtc.midExtension === null
      ? {}
      : { ext: [{ value: webrtc.midExtension, uri: MID_EXTENSION_URI }] }),
  };
}

function candidateLine(candidate: LocalCandidate): Candidate {
  return {
    foundation: candidate.foundation,
    component: 1,
    transport: candidate.protocol,
    priority: candidate.priority,
    ip: candidate.address,
    port: candidate.port,
    type: 'host',
    ...(candidate.protocol === 'tcp' ? { tcptype: 'passive' } : {}),
  };
}
