import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, type Effect, header, lines } from '../support/driver.ts';
import { answer, register, request, to } from '../support/phone.ts';

const CALLER = 5070;
const PHONE = 7001;
const SDP = ['Content-Type: application/sdp'];
const CONTACT = [`Contact: <sip:1002@127.0.0.1:${PHONE}>`, ...SDP];

/** Numbers of the requests to the media service among effects. */
function asked(effects: readonly Effect[]): number[] {
  return effects
    .filter(({ kind, flags }) => kind === abi.EF_MEDIA && flags === abi.MEDIA_OP_SDP)
    .map(({ args }) => args[0]!);
}

function reply(driver: Driver, pending: number, status: number): Effect[] {
  const body = new TextEncoder().encode(status === 200 ? 'made' : '');
  return driver.event(abi.EV_MEDIA_REPLY, { args: [pending, status, body.length, 0], payload: body });
}

/** A call whose answer is with the media service; `others`: ports of more devices that ring. */
async function answered(others: number[] = []) {
  const driver = await Driver.start({ anchor: true });
  for (const port of [PHONE, ...others]) register(driver, '1002', port);
  const [offer] = asked(driver.message(request({ headers: SDP, body: 'offer' }), { port: CALLER }));
  const invite = to(reply(driver, offer!, 200), PHONE)[0]!;
  const ok = answer(invite, '200 OK', 'callee', CONTACT, 'answer');
  const pending = asked(driver.message(ok, { port: PHONE }))[0]!;
  return { driver, ok, pending };
}

describe('an answer that is repeated, and the media service', () => {
  it('is ended each time it comes when the caller has had the refusal', async () => {
    const { driver, ok, pending } = await answered();
    const ended = [
      `ACK sip:1002@127.0.0.1:${PHONE} SIP/2.0 > ${PHONE}`,
      `BYE sip:1002@127.0.0.1:${PHONE} SIP/2.0 > ${PHONE}`,
    ];
    expect(lines(reply(driver, pending, 503))).toEqual([
      ...ended,
      `SIP/2.0 503 Service Unavailable > ${CALLER}`,
    ]);
    expect(lines(driver.message(ok, { port: PHONE }))).toEqual(ended);
  });

  it.each([
    ['one device', []],
    ['two devices', [PHONE + 1]],
  ])('goes on when it has been forwarded and only its repetition was refused: %s', async (_, others) => {
    const { driver, ok, pending } = await answered(others);
    expect(lines(reply(driver, pending, 200))).toContain(`SIP/2.0 200 OK > ${CALLER}`);
    const [again] = asked(driver.message(ok, { port: PHONE }));
    expect(again).toBeDefined();
    expect(lines(reply(driver, again!, 503))).toEqual([]);
    expect(driver.counter(abi.C_CALLS_ACTIVE)).toBe(1);
  });

  it('is ended when there is no room for it to wait, and leaves nothing', async () => {
    const driver = await Driver.start({ anchor: true, pendingMax: 1 });
    register(driver, '1002', PHONE);
    const [offer] = asked(driver.message(request({ headers: SDP, body: 'offer' }), { port: CALLER }));
    const invite = to(reply(driver, offer!, 200), PHONE)[0]!;
    driver.message(request({ headers: SDP, body: 'offer' }), { port: CALLER + 1 }); // takes the only place
    const ok = answer(invite, '200 OK', 'callee', CONTACT, 'answer');
    expect(lines(driver.message(ok, { port: PHONE }))).toEqual([
      `ACK sip:1002@127.0.0.1:${PHONE} SIP/2.0 > ${PHONE}`,
      `BYE sip:1002@127.0.0.1:${PHONE} SIP/2.0 > ${PHONE}`,
      `SIP/2.0 503 Service Unavailable > ${CALLER}`,
    ]);
    driver.wait(600_000);
    expect(driver.leftovers).toEqual({ calls: 0, transactions: 0, branches: 0, pending: 0 });
  });

  it('that has no URI to be ended by is left alone', async () => {
    const { driver, ok, pending } = await answered();
    reply(driver, pending, 503);
    const strange = ok.replace(`<sip:1002@127.0.0.1:${PHONE}>`, '<sip:1002@bad uri>');
    expect(lines(driver.message(strange, { port: PHONE }))).toEqual([]);
  });

  it('is ended along the Route of other proxies', async () => {
    const { driver, ok, pending } = await answered();
    reply(driver, pending, 503);
    const routed = ok.replace(
      'Record-Route:',
      'Record-Route: <sip:10.0.0.7;lr>, <sip:10.0.0.8;lr>\r\nRecord-Route:',
    );
    const sent = to(driver.message(routed, { port: PHONE }), PHONE);
    expect(sent.map((message) => header(message, 'Route'))).toEqual([
      ['<sip:10.0.0.8;lr>, <sip:10.0.0.7;lr>'],
      ['<sip:10.0.0.8;lr>, <sip:10.0.0.7;lr>'],
    ]);
  });
});
