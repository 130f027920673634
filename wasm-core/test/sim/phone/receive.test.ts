/** What phones say to messages that they should not get. */
import { describe, expect, it } from 'vitest';
import { ipOf } from '../../../sim/network.ts';
import { packetOf } from '../../../sim/phone/outgoing.ts';
import type { SipMessage } from '../../../sim/sip/message.ts';
import { call, type Parts, Play, phone } from './stage.ts';

/** A message taken apart. */
interface Draft {
  start: string;
  fields: [string, string][];
  body: string;
}

function draftOf(sip: SipMessage): Draft {
  return { start: sip.startLine, fields: sip.names.map((name, i) => [name, sip.values[i]!]), body: sip.body };
}

function hear(played: Play, name: string, { start, fields, body }: Draft): void {
  const lines = fields.map(([field, value]) => `${field}: ${value}\r\n`).join('');
  const packet = packetOf(`${start}\r\n${lines}\r\n${body}`);
  played.sim
    .phone(name)!
    .receive({ fromIp: ipOf('10.0.0.1'), fromPort: 5060, toPort: 5070, flow: null, packet });
}

/** Changes the first value of a header field. */
function change(draft: Draft, name: string, edit: (value: string) => string): void {
  const field = draft.fields.find(([found]) => found === name)!;
  field[1] = edit(field[1]);
}

const PARTS: Parts = {
  phones: [phone(1), phone(2)],
  calls: [call({ reinviteMs: 500, holdMs: 20_000 })],
};
const other = (value: string) => `${value}x`;
/** It is another transaction. */
const newBranch = (draft: Draft) =>
  change(draft, 'via', (via) => via.replace(/branch=/, 'branch=z9hG4bKnew'));

/** Lets a message of the switch arrive a second time, changed. */
function again(to: string, what: string, nth: number, early: boolean, edit: (draft: Draft) => void): Play {
  const matches = new Play(PARTS).run().flights.filter(({ from, to: host, packet: { sip } }) => {
    return (
      from === 'A' && host === to && (sip!.isRequest ? sip!.method : `${sip!.status} ${sip!.method}`) === what
    );
  });
  const { arrivesUs, packet } = matches[nth]!;
  const draft = draftOf(packet.sip!);
  edit(draft);
  const played = new Play(PARTS).until(arrivesUs / 1_000 - 1);
  if (!early) played.until(arrivesUs / 1_000 + 1);
  expect(played.protests()).toEqual([]);
  hear(played, to, draft);
  return played;
}

const rules = (played: Play) =>
  played.notes.flatMap(({ note }) => (note.kind === 'protest' ? [note.rule] : []));

describe('protests', () => {
  it.each([
    [
      'unreadable',
      'p1',
      '200 REGISTER',
      0,
      (draft: Draft) => draft.fields.splice(0, draft.fields.length, ['via', 'x'], ['content-length', '0']),
    ],
    [
      'content-length',
      'p2',
      'INVITE',
      0,
      (draft: Draft) => change(draft, 'content-length', (n) => `${Number(n) - 1}`),
    ],
    [
      'via',
      'p1',
      '200 REGISTER',
      0,
      (draft: Draft) => change(draft, 'via', (via) => via.replace('branch=z9hG4bK', 'branch=z9hG4bKx')),
    ],
    [
      'via',
      'p1',
      '200 REGISTER',
      0,
      (draft: Draft) => draft.fields.push(['via', 'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1']),
    ],
    ['response', 'p1', '200 INVITE', 0, (draft: Draft) => change(draft, 'cseq', () => '77 INVITE')],
    ['response', 'p1', '200 INVITE', 0, (draft: Draft) => change(draft, 'from', other)],
    ['second-answer', 'p1', '200 INVITE', 0, (draft: Draft) => change(draft, 'to', other)],
    [
      'second-final',
      'p1',
      '200 INVITE',
      0,
      (draft: Draft) => {
        draft.start = 'SIP/2.0 486 Busy';
      },
    ],
    [
      'cseq',
      'p2',
      'INVITE',
      1,
      (draft: Draft) => {
        newBranch(draft);
        change(draft, 'cseq', () => '0 INVITE');
      },
    ],
    [
      'request-uri',
      'p2',
      'INVITE',
      0,
      (draft: Draft) => {
        newBranch(draft);
        draft.start = 'INVITE sip:1001@10.1.0.2:5070 SIP/2.0';
      },
    ],
    [
      'dialog',
      'p2',
      'INVITE',
      1,
      (draft: Draft) => {
        newBranch(draft);
        change(draft, 'from', other);
      },
    ],
    [
      'dialog',
      'p2',
      'INVITE',
      1,
      (draft: Draft) => {
        newBranch(draft);
        change(draft, 'call-id', other);
      },
    ],
    [
      'dialog',
      'p2',
      'ACK',
      0,
      (draft: Draft) => change(draft, 'to', (to) => to.replace(/tag=.*/, 'tag=p1-1-2')),
    ],
    [
      'body',
      'p2',
      'INVITE',
      1,
      (draft: Draft) => {
        newBranch(draft);
        change(draft, 'cseq', () => '9 INVITE');
        draft.body = draft.body.replace('\r\ni=p1', '\r\ni=p3');
      },
    ],
  ] as const)('%s: %s hears %s', (rule, to, what, nth, edit) => {
    expect(rules(again(to, what, nth, false, edit))).toEqual([rule]);
  });

  it.each([
    [
      'body',
      'p1',
      '200 INVITE',
      (draft: Draft) => {
        draft.body = draft.body.replace('\r\ni=', '\r\nx=');
      },
    ],
    [
      'route',
      'p1',
      '200 INVITE',
      (draft: Draft) => change(draft, 'record-route', (route) => route.replace('10.0.0.1', '10.0.0.2')),
    ],
    [
      'route',
      'p1',
      '200 INVITE',
      (draft: Draft) => change(draft, 'record-route', (route) => route.replace(';lr', '')),
    ],
    [
      'route',
      'p1',
      '200 INVITE',
      (draft: Draft) => {
        draft.fields = draft.fields.filter(([name]) => name !== 'record-route');
      },
    ],
    [
      'contact',
      'p1',
      '200 REGISTER',
      (draft: Draft) => change(draft, 'contact', (contact) => contact.replace('10.1.0.1', '10.1.0.2')),
    ],
    [
      'contact',
      'p1',
      '200 REGISTER',
      (draft: Draft) => change(draft, 'contact', (contact) => contact.replace('expires=120', 'expires=121')),
    ],
  ] as const)('%s: %s hears %s first', (rule, to, what, edit) => {
    expect(rules(again(to, what, 0, true, edit))).toEqual([rule]);
  });

  it('a second answer is acknowledged, and its dialog ended', () => {
    const played = again('p1', '200 INVITE', 0, false, (draft) => change(draft, 'to', other));
    const [ack, bye] = played.sent('p1').slice(-2);
    expect([ack!.what, bye!.what]).toEqual(['ACK', 'BYE']);
    expect(bye!.sip.toTag).toMatch(/x$/);
    expect(played.run().states('p1').at(-1)).toBe('ended 200');
  });
});

describe('requests', () => {
  const request = (method: string, more: [string, string][] = []): Draft => ({
    start: `${method} sip:1001@10.1.0.1:5070 SIP/2.0`,
    fields: [
      ['via', `SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK${method}`],
      ['from', '<sip:x@elsewhere.test>;tag=1'],
      ['to', '<sip:1001@strowger.test>'],
      ['call-id', 'other'],
      ['cseq', `1 ${method}`],
      ...more,
      ['content-length', '0'],
    ],
    body: '',
  });

  it.each([
    ['OPTIONS', '200'],
    ['BYE', '481'],
    ['CANCEL', '481'],
    ['MESSAGE', '405'],
    ['FROBNICATE', '501'],
  ])('%s out of a dialog: %s, once and again', (method, status) => {
    const played = new Play({ phones: [phone(1)] }).until(500);
    hear(played, 'p1', request(method));
    hear(played, 'p1', request(method));
    const answers = played.sent('p1').slice(-2);
    expect(answers.map(({ what }) => what)).toEqual([`${status} ${method}`, `${status} ${method}`]);
    expect(answers[0]!.flight.packet).toBe(answers[1]!.flight.packet);
  });

  it('the same INVITE by another way: 482', () => {
    const played = again('p2', 'INVITE', 0, false, newBranch);
    expect(played.sent('p2').at(-1)!.what).toBe('482 INVITE');
  });

  it('BYE for an early dialog: its answer is ended at once', () => {
    const played = again('p1', '180 INVITE', 0, false, (draft) => {
      const [from, to] = ['from', 'to'].map((name) => draft.fields.find(([found]) => found === name)!);
      [from![1], to![1]] = [to![1], from![1]];
      draft.start = 'BYE sip:1001@10.1.0.1:5070 SIP/2.0';
      change(draft, 'via', () => 'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKnew');
      change(draft, 'cseq', () => '1 BYE');
    });
    expect(played.sent('p1').at(-1)!.what).toBe('200 BYE');
    played.run();
    const ack = played.sent('p1').find(({ what, sip }) => what === 'ACK' && sip.toTag !== '')!;
    expect(played.sent('p1').find(({ what }) => what === 'BYE')!.atMs).toBe(ack.atMs);
  });
});
