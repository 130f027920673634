import { describe, expect, test } from 'vitest';
import { SdpError } from '../../sdp/error.ts';
import { parseSdp } from '../../sdp/parse.ts';
import { BARESIP, CHROMIUM, crlf, FIREFOX, LINPHONE, plainBody, SIPP } from '../support/bodies.ts';

function codecs(text: string): string[] {
  return parseSdp(text).audio!.codecs.map(({ pt, kind, fmtp }) => `${pt} ${kind.key}${fmtp && ` ${fmtp}`}`);
}

function refusal(text: string): { status: number; message: string } {
  try {
    parseSdp(text);
  } catch (error) {
    if (error instanceof SdpError) return { status: error.status, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('what phones and browsers write', () => {
  test('baresip', () => {
    expect(parseSdp(BARESIP).audio).toMatchObject({
      variant: 'plain',
      protocol: 'RTP/AVP',
      address: '192.168.1.20',
      port: 10016,
      rtcpPort: 10017,
      rtcpMux: false,
      direction: 'sendrecv',
      ptime: 20,
      maxptime: null,
      mid: null,
      webrtc: null,
    });
    expect(codecs(BARESIP)).toEqual([
      '96 opus/48000/2 stereo=1;sprop-stereo=1',
      '9 G722/8000',
      '0 PCMU/8000',
      '8 PCMA/8000',
      '101 telephone-event/8000 0-15',
    ]);
  });

  test('SIPp', () => {
    expect(parseSdp(SIPP).audio).toMatchObject({ address: '127.0.0.1', port: 6000, rtcpPort: 6001 });
    expect(codecs(SIPP)).toEqual(['0 PCMU/8000']);
  });

  test('Linphone: ICE is no reason to take it for a browser, and video stays as a line', () => {
    const description = parseSdp(LINPHONE);
    expect(description.audio).toMatchObject({
      variant: 'plain',
      protocol: 'RTP/AVPF',
      rtcpMux: true,
      rtcpPort: 7078,
    });
    expect(codecs(LINPHONE)).toEqual([
      '96 opus/48000/2 useinbandfec=1',
      '0 PCMU/8000',
      '8 PCMA/8000',
      '101 telephone-event/48000',
      '99 telephone-event/8000',
    ]);
    expect(description.lines[1]).toEqual({ type: 'video', protocol: 'RTP/AVPF', formats: '96', mid: null });
  });

  test('Chromium', () => {
    const { audio } = parseSdp(CHROMIUM);
    expect(audio).toMatchObject({ variant: 'webrtc', mid: '0', rtcpMux: true, rtcpPort: 54321 });
    expect(audio!.webrtc).toEqual({
      iceUfrag: '1234',
      fingerprint: { algorithm: 'sha-256', value: expect.stringMatching(/^2F:AA:0B/) },
      setup: 'actpass',
      ssrc: 3570614608,
      midExtension: 4,
    });
    expect(codecs(CHROMIUM)).toEqual([
      '111 opus/48000/2 minptime=10;useinbandfec=1',
      '9 G722/8000',
      '0 PCMU/8000',
      '8 PCMA/8000',
      '110 telephone-event/48000',
      '126 telephone-event/8000',
    ]);
  });

  test('Firefox', () => {
    const { audio } = parseSdp(FIREFOX);
    expect(audio).toMatchObject({ variant: 'webrtc', direction: 'sendrecv', address: null });
    expect(audio!.webrtc).toMatchObject({
      fingerprint: { algorithm: 'sha-256', value: expect.stringMatching(/^10:20/) },
      ssrc: 1234567890,
      midExtension: 3,
    });
    expect(audio!.codecs.map(({ pt, kind }) => `${pt} ${kind.key}`)).toEqual([
      '109 opus/48000/2',
      '9 G722/8000',
      '0 PCMU/8000',
      '8 PCMA/8000',
      '101 telephone-event/8000',
    ]);
  });

  test('lines that end in LF only', () => {
    expect(parseSdp(SIPP.replaceAll('\r\n', '\n')).audio?.port).toBe(6000);
  });
});

describe('direction', () => {
  const cases: [name: string, text: string, direction: string][] = [
    ['nothing said', plainBody(), 'sendrecv'],
    ['at media level', plainBody({ lines: ['a=sendonly'] }), 'sendonly'],
    ['at session level', plainBody().replace('t=0 0', 't=0 0\r\na=recvonly'), 'recvonly'],
    [
      'media before session',
      plainBody({ lines: ['a=inactive'] }).replace('t=0 0', 't=0 0\r\na=recvonly'),
      'inactive',
    ],
    ['hold by c=0.0.0.0', plainBody({ address: '0.0.0.0' }), 'sendonly'],
    ['hold by c=0.0.0.0 and recvonly', plainBody({ address: '0.0.0.0', lines: ['a=recvonly'] }), 'inactive'],
    ['hold by ::', plainBody().replace('c=IN IP4 192.0.2.10', 'c=IN IP6 ::'), 'sendonly'],
  ];
  test.each(cases)('%s', (_name, text, direction) => {
    expect(parseSdp(text).audio?.direction).toBe(direction);
  });

  test('a browser without candidates is not on hold', () => {
    const text = CHROMIUM.replace('c=IN IP4 192.168.1.30', 'c=IN IP4 0.0.0.0');
    expect(parseSdp(text).audio).toMatchObject({ direction: 'sendrecv', address: null });
  });
});

describe('addresses and ports', () => {
  test('the media c= wins over that of the session', () => {
    const text = plainBody({ lines: ['c=IN IP4 192.0.2.99'] });
    expect(parseSdp(text).audio?.address).toBe('192.0.2.99');
  });

  test('IPv6', () => {
    const text = plainBody().replaceAll('IP4 192.0.2.10', 'IP6 2001:db8::5');
    expect(parseSdp(text).audio?.address).toBe('2001:db8::5');
  });

  test('a name can not be sent to', () => {
    expect(parseSdp(plainBody({ address: 'phone.example' })).audio?.address).toBeNull();
  });

  test('the rtcp attribute', () => {
    expect(parseSdp(plainBody({ lines: ['a=rtcp:53020'] })).audio?.rtcpPort).toBe(53020);
  });

  test('a number of ports', () => {
    expect(parseSdp(plainBody().replace('m=audio 4000', 'm=audio 4000/2')).audio?.port).toBe(4000);
  });
});

describe('descriptions without usable audio', () => {
  const sdes = plainBody({
    lines: ['a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR'],
  });
  const cases: [name: string, text: string, why: RegExp][] = [
    ['port 0', plainBody({ port: 0 }), /port 0/],
    ['only video', plainBody().replace('m=audio', 'm=video'), /no audio/],
    ['only codecs that are not known', plainBody({ formats: '18 3' }), /no codec/],
    ['only events', plainBody({ formats: '101' }), /no codec/],
    ['SDES', sdes.replace('RTP/AVP', 'RTP/SAVP'), /SDES/],
    ['another profile', plainBody().replace('RTP/AVP', 'TCP/RTP/AVP'), /TCP\/RTP\/AVP/],
  ];
  test.each(cases)('%s', (_name, text, why) => {
    const description = parseSdp(text);
    expect(description.audio).toBeNull();
    expect(description.audioIndex).toBe(-1);
    expect(description.unusable).toMatch(why);
  });

  test('a second audio line is taken when the first can not be used', () => {
    const description = parseSdp(`${sdes.replace('RTP/AVP', 'RTP/SAVP')}m=audio 5000 RTP/AVP 8\r\n`);
    expect(description.audioIndex).toBe(1);
    expect(description.audio?.port).toBe(5000);
  });
});

describe('malformed descriptions are refused with 400', () => {
  const cases: [name: string, text: string, why: RegExp][] = [
    ['empty', '', /v=0/],
    ['no version', plainBody().replace('v=0\r\n', ''), /v=0/],
    ['another version', plainBody().replace('v=0', 'v=1'), /v=0/],
    ['no origin', plainBody().replace(/o=.*\r\n/, ''), /o= line/],
    ['a broken origin', plainBody().replace(/o=.*\r\n/, 'o=me\r\n'), /o= line/],
    ['no media', plainBody().replace(/m=[\s\S]*/, ''), /no m= line/],
    ['no connection', plainBody().replace(/c=.*\r\n/, ''), /no c= line/],
    ['no formats', plainBody().replace(/m=audio.*/, 'm=audio 4000 RTP/AVP'), /malformed line: m=audio/],
    ['a port that is no number', plainBody().replace('m=audio 4000', 'm=audio x'), /malformed line/],
    ['a port above 65535', plainBody({ port: 70_000 }), /port 70000/],
    ['a payload type above 127', plainBody({ formats: '0 128' }), /payload type 128/],
    ['a payload type that is no number', plainBody({ formats: '0 pcm' }), /payload type pcm/],
    ['too many lines', plainBody() + 'm=video 0 RTP/AVP 31\r\n'.repeat(16), /more than 16/],
    ['too long', plainBody() + crlf(['a=x'.repeat(30_000)]), /too long/],
  ];
  test.each(cases)('%s', (_name, text, why) => {
    expect(refusal(text)).toEqual({ status: 400, message: expect.stringMatching(why) });
  });
});

describe('codecs', () => {
  test('names compare without case', () => {
    expect(codecs(plainBody({ formats: '98', lines: ['a=rtpmap:98 OPUS/48000/2'] }))).toEqual([
      '98 opus/48000/2',
    ]);
  });

  test('a static payload type may be mapped to another codec', () => {
    expect(codecs(plainBody({ formats: '0', lines: ['a=rtpmap:0 PCMA/8000'] }))).toEqual(['0 PCMA/8000']);
  });

  test('one channel may be named', () => {
    expect(codecs(plainBody({ formats: '0', lines: ['a=rtpmap:0 PCMU/8000/1'] }))).toEqual(['0 PCMU/8000']);
  });

  test('opus with one channel is not opus (RFC 7587 7)', () => {
    expect(parseSdp(plainBody({ formats: '96', lines: ['a=rtpmap:96 opus/48000'] })).audio).toBeNull();
  });

  test('a codec listed twice counts as listed first', () => {
    const lines = ['a=rtpmap:96 opus/48000/2', 'a=fmtp:96 stereo=0', 'a=rtpmap:97 opus/48000/2'];
    expect(codecs(plainBody({ formats: '97 96 0', lines }))).toEqual(['97 opus/48000/2', '0 PCMU/8000']);
  });
});
