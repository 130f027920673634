import { describe, expect, test } from 'vitest';
import { CODECS } from '../../sdp/codec.ts';
import type { LocalAudio, LocalDescription } from '../../sdp/description.ts';
import { parseSdp } from '../../sdp/parse.ts';
import { writeSdp } from '../../sdp/write.ts';

const FINGERPRINT = Array(32).fill('AB').join(':');
const [OPUS, , PCMU] = CODECS;
const plain: LocalAudio = {
  protocol: 'RTP/AVP',
  port: 20_000,
  rtcpMux: false,
  direction: 'sendonly',
  codecs: [
    { kind: OPUS!, pt: 96, fmtp: 'useinbandfec=1' },
    { kind: PCMU!, pt: 0, fmtp: '' },
  ],
  ptime: 20,
  maxptime: null,
  webrtc: null,
};
const webrtc: LocalAudio = {
  ...plain,
  protocol: 'UDP/TLS/RTP/SAVPF',
  port: 44_400,
  rtcpMux: true,
  direction: 'sendrecv',
  ptime: null,
  webrtc: {
    iceUfrag: 'ufrag',
    icePwd: 'password-of-22-letters',
    candidates: [
      {
        foundation: 'udpcandidate',
        priority: 1076558079,
        address: '198.51.100.1',
        port: 44_400,
        protocol: 'udp',
      },
      {
        foundation: 'tcpcandidate',
        priority: 1076276479,
        address: '198.51.100.1',
        port: 44_400,
        protocol: 'tcp',
      },
    ],
    fingerprints: [{ algorithm: 'sha-256', value: FINGERPRINT }],
    setup: 'actpass',
    midExtension: 1,
    stream: 'strowger-7',
  },
};

function describeAudio(audio: LocalAudio | null, extra: Partial<LocalDescription> = {}): string {
  return writeSdp({
    sessionId: '7',
    version: 3,
    address: '198.51.100.1',
    lines: [{ type: 'audio', protocol: 'RTP/AVP', formats: '96 0', mid: audio?.webrtc ? '0' : null }],
    audioIndex: 0,
    audio,
    ...extra,
  });
}

describe('plain', () => {
  test('the whole text', () => {
    expect(describeAudio(plain)).toBe(
      [
        'v=0',
        'o=strowger 7 3 IN IP4 198.51.100.1',
        's=-',
        'c=IN IP4 198.51.100.1',
        't=0 0',
        'm=audio 20000 RTP/AVP 96 0',
        'a=rtpmap:96 opus/48000/2',
        'a=rtpmap:0 PCMU/8000',
        'a=fmtp:96 useinbandfec=1',
        'a=ptime:20',
        'a=sendonly',
        '',
      ].join('\r\n'),
    );
  });

  test('IPv6', () => {
    expect(describeAudio(plain, { address: '2001:db8::1' })).toContain('c=IN IP6 2001:db8::1\r\n');
  });

  test('other lines are refused in their places', () => {
    const video = { type: 'video', protocol: 'RTP/AVP', formats: '31 34', mid: null };
    const audio = { type: 'audio', protocol: 'RTP/AVP', formats: '0', mid: null };
    const lines = describeAudio(plain, { lines: [video, audio], audioIndex: 1 }).match(/^m=.*$/gm);
    expect(lines).toEqual(['m=video 0 RTP/AVP 31 34', 'm=audio 20000 RTP/AVP 96 0']);
  });

  test('refused audio', () => {
    expect(describeAudio(null)).toContain('m=audio 0 RTP/AVP 96 0\r\n');
  });
});

describe('for browsers', () => {
  test('what ICE-lite and DTLS need', () => {
    const text = describeAudio(webrtc);
    for (const line of [
      'a=ice-lite',
      'a=group:BUNDLE 0',
      'm=audio 44400 UDP/TLS/RTP/SAVPF 96 0',
      'a=mid:0',
      'a=ice-ufrag:ufrag',
      'a=ice-pwd:password-of-22-letters',
      `a=fingerprint:sha-256 ${FINGERPRINT}`,
      'a=setup:actpass',
      'a=rtcp-mux',
      'a=candidate:udpcandidate 1 udp 1076558079 198.51.100.1 44400 typ host',
      'a=candidate:tcpcandidate 1 tcp 1076276479 198.51.100.1 44400 typ host tcptype passive',
      'a=end-of-candidates',
      'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
      'a=msid:strowger-7 strowger-7-audio',
    ]) {
      expect(text.split('\r\n')).toContain(line);
    }
  });

  test('refused lines are outside the bundle', () => {
    const video = { type: 'video', protocol: 'UDP/TLS/RTP/SAVPF', formats: '96', mid: '1' };
    const audio = { type: 'audio', protocol: 'UDP/TLS/RTP/SAVPF', formats: '111', mid: '0' };
    const text = describeAudio(webrtc, { lines: [audio, video] });
    expect(text).toContain('a=group:BUNDLE 0\r\n');
    expect(text).toMatch(/m=video 0 UDP\/TLS\/RTP\/SAVPF 96\r\n(a=.*\r\n)*a=mid:1\r\n/);
  });

  test('our own reader understands it', () => {
    const { audio } = parseSdp(describeAudio(webrtc));
    expect(audio).toMatchObject({ variant: 'webrtc', port: 44_400, mid: '0', rtcpMux: true });
    expect(audio?.webrtc).toMatchObject({ iceUfrag: 'ufrag', setup: 'actpass', midExtension: 1 });
  });
});
