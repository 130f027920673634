/** Reads session descriptions (RFC 8866). */
import { isIP } from 'node:net';
import sdpTransform, { type MediaSection, type Session } from 'sdp-transform';
import { type Codec, findCodec, findStaticCodec } from './codec.ts';
import type {
  DtlsSetup,
  Fingerprint,
  MediaLine,
  RemoteAudio,
  RemoteDescription,
  RemoteWebRtc,
} from './description.ts';
import { type Direction, directionOf, sends } from './direction.ts';
import { SdpError } from './error.ts';

/** Longest description that is read, characters: far above what phones and browsers send. */
export const SDP_LENGTH_MAX = 65_536;
/** Most m-lines that are read. */
export const MEDIA_LINES_MAX = 16;
/** URI of the MID header extension (RFC 8843 15.2). */
export const MID_EXTENSION_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';

const MEDIA_LINE = /^m=([\w.+-]+) (\d{1,5})(?:\/\d+)? ([\w./+-]+) (\S.*?)\s*$/;
/** Profiles without encryption (RFC 3551, RFC 4585). */
const PLAIN_PROTOCOL = /^RTP\/AVPF?$/;
/** DTLS-SRTP (RFC 5764 8); without the transport's name it is an older spelling. */
const DTLS_PROTOCOL = /^(?:(?:UDP|TCP)\/TLS\/)?RTP\/SAVPF?$/;
/** Hash functions that DTLS takes here (RFC 8122 5). */
const FINGERPRINT_ALGORITHM = /^sha-(?:1|224|256|384|512)$/;
const FINGERPRINT_VALUE = /^(?:[0-9A-F]{2}:){19,63}[0-9A-F]{2}$/;
/** Ids that a one-byte extension can have (RFC 8285 4.2). */
const EXTENSION_ID_MAX = 14;
const SSRC_MAX = 0xffff_ffff;
const SETUPS: readonly string[] = ['actpass', 'active', 'passive'];

/** sdp-transform's view with the m-lines as we read them. */
interface Section {
  line: MediaLine;
  port: number;
  body: MediaSection;
}

/**
 * Reads a description. The first audio line that can be used is `audio`.
 * @throws SdpError 400 when it is malformed.
 */
export function parseSdp(text: string): RemoteDescription {
  if (text.length > SDP_LENGTH_MAX) throw new SdpError(400, 'the description is too long');
  const textLines = text.split(/\r\n|\r|\n/);
  if (textLines[0]?.trim() !== 'v=0') throw new SdpError(400, 'the first line is not v=0');
  const session = sdpTransform.parse(text);
  if (session.origin?.address === undefined) throw new SdpError(400, 'no valid o= line');
  const sections = readSections(session, textLines);
  const found = findAudio(session, sections);
  return { lines: sections.map((section) => section.line), ...found };
}

function readSections(session: Session, textLines: readonly string[]): Section[] {
  const mediaLines = textLines.filter((line) => line.startsWith('m='));
  if (mediaLines.length === 0) throw new SdpError(400, 'no m= line');
  if (mediaLines.length > MEDIA_LINES_MAX) throw new SdpError(400, `more than ${MEDIA_LINES_MAX} m= lines`);
  return mediaLines.map((text, i) => {
    const match = MEDIA_LINE.exec(text);
    const body = session.media[i];
    if (!match || !body) throw new SdpError(400, `malformed line: ${text.slice(0, 80)}`);
    const [, type = '', port = '', protocol = '', formats = ''] = match;
    if (Number(port) > 65_535) throw new SdpError(400, `port ${port} is above 65535`);
    const mid = body.mid === undefined ? null : String(body.mid);
    return { line: { type, protocol, formats, mid }, port: Number(port), body };
  });
}

type Found = Pick<RemoteDescription, 'audioIndex' | 'audio' | 'unusable'>;

function findAudio(session: Session, sections: readonly Section[]): Found {
  let unusable = 'no audio';
  for (const [audioIndex, section] of sections.entries()) {
    if (section.line.type !== 'audio') continue;
    if (section.port === 0) {
      unusable = 'the audio has port 0';
      continue;
    }
    const audio = readAudio(session, section);
    if (typeof audio !== 'string') return { audioIndex, audio, unusable: '' };
    unusable = audio;
  }
  return { audioIndex: -1, audio: null, unusable };
}

/** The audio of a section, or why it can't be used. */
function readAudio(session: Session, { line, port, body }: Section): RemoteAudio | string {
  const webrtc = readWebRtc(session, body);
  const plain = PLAIN_PROTOCOL.test(line.protocol);
  if (!plain && !DTLS_PROTOCOL.test(line.protocol)) return `profile ${line.protocol} is not supported`;
  if (!plain && webrtc === null)
    return `${line.protocol} without ICE and a DTLS fingerprint (SDES keys) is not supported`;
  const codecs = readCodecs(line.formats, body);
  if (!codecs.some((codec) => !codec.kind.event)) return 'no codec that the switch knows';
  const { address, heldByAddress } = readAddress(session, body);
  const rtcpMux = body.rtcpMux !== undefined;
  const direction = body.direction ?? session.direction ?? 'sendrecv';
  return {
    variant: plain ? 'plain' : 'webrtc',
    protocol: line.protocol,
    address,
    port,
    rtcpPort: rtcpMux ? port : readRtcpPort(body, port),
    rtcpMux,
    direction: heldByAddress && plain ? withoutReceiving(direction) : direction,
    codecs,
    ptime: positive(body.ptime),
    maxptime: positive(body.maxptime),
    mid: line.mid,
    webrtc: plain ? null : webrtc,
  };
}

/** The rtcp attribute, else the next port (RFC 3550 11); of a port that can't be, the RTP port. */
function readRtcpPort(body: MediaSection, rtpPort: number): number {
  const port = body.rtcp?.port ?? rtpPort + 1;
  return port >= 1 && port <= 65_535 ? port : rtpPort;
}

function withoutReceiving(direction: Direction): Direction {
  return directionOf(sends(direction), false);
}

function positive(value: string | number | undefined): number | null {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : null;
}

/** An unspecified address means "send me nothing" (RFC 3264 8.4); a browser writes it before it has candidates. */
function readAddress(
  session: Session,
  body: MediaSection,
): { address: string | null; heldByAddress: boolean } {
  const connection = body.connection ?? session.connection;
  if (connection?.ip === undefined) throw new SdpError(400, 'the audio has no c= line');
  // A TTL may follow a multicast address (RFC 8866 5.7).
  const address = String(connection.ip).split('/')[0] ?? '';
  const heldByAddress = /^(?:0\.0\.0\.0|[0:]*:[0:]*)$/.test(address);
  return { address: isIP(address) > 0 && !heldByAddress ? address : null, heldByAddress };
}

function readCodecs(formats: string, body: MediaSection): Codec[] {
  const codecs: Codec[] = [];
  for (const format of formats.split(/\s+/)) {
    const pt = Number(format);
    if (!/^\d{1,3}$/.test(format) || pt > 127)
      throw new SdpError(400, `payload type ${format} is not 0 to 127`);
    const map = body.rtp.find((rtp) => rtp.payload === pt);
    const kind = map
      ? findCodec(String(map.codec), Number(map.rate), Number(map.encoding ?? 1))
      : findStaticCodec(pt);
    // A codec that is listed twice (with other parameters) is used as it is listed first.
    if (!kind || codecs.some((codec) => codec.kind === kind || codec.pt === pt)) continue;
    const fmtp = body.fmtp.find((line) => line.payload === pt)?.config;
    codecs.push({ kind, pt, fmtp: fmtp === undefined ? '' : String(fmtp).trim() });
  }
  return codecs;
}

/** ICE and DTLS, each at media or session level (RFC 8839 5.4, RFC 8122 5); null when something is missing. */
function readWebRtc(session: Session, body: MediaSection): RemoteWebRtc | null {
  const iceUfrag = body.iceUfrag ?? session.iceUfrag;
  const fingerprint = readFingerprint(body.fingerprint ?? session.fingerprint);
  const setup = body.setup ?? session.setup ?? 'active';
  if (iceUfrag === undefined || fingerprint === null || !SETUPS.includes(setup)) return null;
  const extension = (body.ext ?? session.ext ?? []).find((ext) => ext.uri === MID_EXTENSION_URI);
  return {
    iceUfrag: String(iceUfrag),
    fingerprint,
    setup: setup as DtlsSetup,
    ssrc: withinRange(body.ssrcs?.[0]?.id, SSRC_MAX),
    midExtension: withinRange(extension?.value, EXTENSION_ID_MAX),
  };
}

/** A number from 1 to `max`, or null. */
function withinRange(value: unknown, max: number): number | null {
  return typeof value === 'number' && value >= 1 && value <= max ? value : null;
}

function readFingerprint(written: { type: unknown; hash: unknown } | undefined): Fingerprint | null {
  const algorithm = String(written?.type).toLowerCase();
  const value = String(written?.hash).toUpperCase();
  return FINGERPRINT_ALGORITHM.test(algorithm) && FINGERPRINT_VALUE.test(value) ? { algorithm, value } : null;
}
