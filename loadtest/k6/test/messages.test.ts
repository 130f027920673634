import { describe, expect, it } from 'vitest';
import {
  branchOf,
  formatMessage,
  hasTag,
  header,
  headers,
  methodOf,
  parseMessage,
  responseTo,
  routeSet,
  statusOf,
  uriOf,
} from '../lib/messages.ts';

const INVITE = [
  'INVITE sip:bob@example.org SIP/2.0',
  'v: SIP/2.0/WS a.invalid ;received=1.2.3.4;branch=z9hG4bKtop',
  'Via: SIP/2.0/WS b.invalid;branch=z9hG4bKbelow',
  'Record-Route: <sip:p2;lr>, <sip:p1;x=1,2;lr>',
  'f: "Alice;tag=no" <sip:alice@example.org>;tag=one',
  't: <sip:bob@example.org>',
  'i: call@a.invalid',
  'CSeq: 7 INVITE',
  'Subject: folded',
  ' over two lines',
  'l: 4',
  '',
  'body',
].join('\r\n');

describe('a SIP message', () => {
  const invite = parseMessage(INVITE);

  it('is read with compact names, folded lines and its body', () => {
    expect(statusOf(invite)).toBe(0);
    expect(methodOf(invite)).toBe('INVITE');
    expect(branchOf(invite)).toBe('z9hG4bKtop');
    expect(headers(invite, 'via')).toHaveLength(2);
    expect(header(invite, 'call-id')).toBe('call@a.invalid');
    expect(header(invite, 'subject')).toBe('folded over two lines');
    expect(header(invite, 'contact')).toBe('');
    expect(invite.body).toBe('body');
  });

  it('is answered with the headers of RFC 3261 8.2.6.2 and a tag in To', () => {
    const text = formatMessage(
      responseTo(invite, '200 OK', 'mine', [['Contact', '<sip:bob@c.invalid>']], 'v=0'),
    );
    const response = parseMessage(text);
    expect(statusOf(response)).toBe(200);
    expect(methodOf(response)).toBe('INVITE');
    expect(headers(response, 'via')).toEqual(headers(invite, 'via'));
    for (const name of ['record-route', 'from', 'call-id', 'cseq'])
      expect(header(response, name)).toBe(header(invite, name));
    expect(header(response, 'to')).toBe('<sip:bob@example.org>;tag=mine');
    expect(header(response, 'subject')).toBe('');
    expect(header(response, 'content-length')).toBe('3');
    expect(response.body).toBe('v=0');
  });

  it('is answered in its dialog with the tag it has', () => {
    const inDialog = parseMessage(
      INVITE.replace('t: <sip:bob@example.org>', 't: <sip:bob@example.org>;tag=his'),
    );
    expect(header(responseTo(inDialog, '200 OK', 'mine'), 'to')).toBe('<sip:bob@example.org>;tag=his');
  });

  it('gives the caller a route set in reverse', () => {
    const response = parseMessage(INVITE.replace('Subject:', 'Record-Route: <sip:p0;lr>\r\nSubject:'));
    expect(routeSet(response)).toEqual(['<sip:p0;lr>', '<sip:p1;x=1,2;lr>', '<sip:p2;lr>']);
  });
});

describe('an address', () => {
  it.each([
    ['"Bob" <sip:bob@example.org;lr>;tag=1', 'sip:bob@example.org;lr', true],
    ['sip:bob@example.org;tag=1', 'sip:bob@example.org', true],
    ['"x;tag=1" <sip:bob@example.org>', 'sip:bob@example.org', false],
    ['<sip:bob@example.org;tag=uri>', 'sip:bob@example.org;tag=uri', false],
  ])('%s', (text, uri, tagged) => {
    expect(uriOf(text)).toBe(uri);
    expect(hasTag(text)).toBe(tagged);
  });
});
