import { describe, expect, it } from 'vitest';
import { SipMessage } from '../../../sim/sip/message.ts';

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

describe('messages as the simulator reads them', () => {
  it('takes a bare LF for the end of a line, as the core does', () => {
    const message = SipMessage.parse(
      bytes('INVITE sip:a@b SIP/2.0\r\nContact: <sip:c@d>\x0f\nSubject: x\r\nCSeq: 1 INVITE\r\n\r\n'),
    );
    expect(message?.names).toEqual(['contact', 'subject', 'cseq']);
    expect(message?.header('subject')).toBe('x');
  });

  it('counts the bytes of a body that is no text', () => {
    const message = SipMessage.parse(bytes('SIP/2.0 200 OK\r\nFrom: \xc3\xa9\r\n\r\ninv\xe1lid'));
    expect(message?.bodyBytes).toBe(7);
  });
});
