/** Session descriptions as phones and browsers write them. */

export function crlf(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n`;
}

/** baresip 1.0. */
export const BARESIP = crlf([
  'v=0',
  'o=- 2890844526 1471385632 IN IP4 192.168.1.20',
  's=-',
  'c=IN IP4 192.168.1.20',
  't=0 0',
  'a=tool:baresip 1.0.0',
  'm=audio 10016 RTP/AVP 96 9 0 8 101',
  'b=AS:125',
  'a=rtpmap:96 opus/48000/2',
  'a=fmtp:96 stereo=1;sprop-stereo=1',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  'a=rtcp:10017',
  'a=sendrecv',
  'a=label:1',
  'a=rtcp-rsize',
  'a=ssrc:2135792310 cname:sip:1001@strowger.test',
  'a=ptime:20',
  'a=minptime:10',
]);

/** SIPp's default scenario: one static payload type, little else. */
export const SIPP = crlf([
  'v=0',
  'o=user1 53655765 2353687637 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 6000 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
]);

/** Linphone: ICE and AVPF hints in a plain offer, video, attributes it invented. */
export const LINPHONE = crlf([
  'v=0',
  'o=1003 3817 1219 IN IP4 10.0.0.7',
  's=Talk',
  'c=IN IP4 10.0.0.7',
  't=0 0',
  'a=ice-pwd:d6e9b3d1c4f2a0b8e7c5d3a1',
  'a=ice-ufrag:8fe1',
  'a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics',
  'm=audio 7078 RTP/AVPF 96 97 98 0 8 18 101 99',
  'a=rtpmap:96 opus/48000/2',
  'a=fmtp:96 useinbandfec=1',
  'a=rtpmap:97 speex/16000',
  'a=rtpmap:98 speex/8000',
  'a=fmtp:18 annexb=yes',
  'a=rtpmap:101 telephone-event/48000',
  'a=rtpmap:99 telephone-event/8000',
  'a=rtcp-mux',
  'a=candidate:1 1 UDP 2130706303 10.0.0.7 7078 typ host',
  'a=rtcp-fb:* trr-int 1000',
  'm=video 9078 RTP/AVPF 96',
  'a=rtpmap:96 VP8/90000',
]);

/** Chromium 120 and later, audio only, as sip.js sends it. */
export const CHROMIUM = crlf([
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS 7f3f2f3a-1',
  'm=audio 54321 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126',
  'c=IN IP4 192.168.1.30',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=candidate:3988775219 1 udp 2122260223 192.168.1.30 54321 typ host generation 0 network-id 1',
  'a=ice-ufrag:1234',
  'a=ice-pwd:VSpuVcbbGhUFBGnGhgCKQdpk',
  'a=ice-options:trickle',
  'a=fingerprint:sha-256 2f:aa:0b:9c:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC',
  'a=setup:actpass',
  'a=mid:0',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=sendrecv',
  'a=msid:7f3f2f3a-1 0b9c-track',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:13 CN/8000',
  'a=rtpmap:110 telephone-event/48000',
  'a=rtpmap:126 telephone-event/8000',
  'a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6',
  'a=ssrc:3570614608 msid:7f3f2f3a-1 0b9c-track',
]);

/** Firefox: the fingerprint stands at session level, and opus is 109. */
export const FIREFOX = crlf([
  'v=0',
  'o=mozilla...THIS_IS_SDPARTA-99.0 5432109876 0 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=sendrecv',
  'a=fingerprint:sha-256 10:20:30:40:50:60:70:80:90:A0:B0:C0:D0:E0:F0:00:10:20:30:40:50:60:70:80:90:A0:B0:C0:D0:E0:F0:00',
  'a=group:BUNDLE 0',
  'a=ice-options:trickle',
  'a=msid-semantic:WMS *',
  'm=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101',
  'c=IN IP4 0.0.0.0',
  'a=sendrecv',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1',
  'a=fmtp:101 0-15',
  'a=ice-pwd:d6e9b3d1c4f2a0b8e7c5d3a1d6e9b3d1',
  'a=ice-ufrag:7d1c33a0',
  'a=mid:0',
  'a=msid:{8c0f} {77aa}',
  'a=rtcp-mux',
  'a=rtpmap:109 opus/48000/2',
  'a=rtpmap:9 G722/8000/1',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000/1',
  'a=setup:actpass',
  'a=ssrc:1234567890 cname:{0d2e}',
]);

/** A description of plain audio, one line per thing that tests vary. */
export interface PlainBody {
  address?: string;
  port?: number;
  /** Formats of the m-line. */
  formats?: string;
  /** Further lines of the audio. */
  lines?: readonly string[];
}

export function plainBody({
  address = '192.0.2.10',
  port = 4000,
  formats = '0 8 101',
  lines = ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'],
}: PlainBody = {}): string {
  return crlf([
    'v=0',
    `o=- 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${formats}`,
    ...lines,
  ]);
}

/** What a browser answers, with these formats. */
export function browserAnswer(formats: string, lines: readonly string[] = [], ufrag = 'abcd'): string {
  return crlf([
    'v=0',
    'o=- 77 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    `m=audio 9 UDP/TLS/RTP/SAVPF ${formats}`,
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`,
    'a=ice-pwd:VSpuVcbbGhUFBGnGhgCKQdpk',
    'a=fingerprint:sha-256 AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99',
    'a=setup:active',
    'a=mid:0',
    'a=rtcp-mux',
    ...lines,
    'a=ssrc:42 cname:x',
  ]);
}
