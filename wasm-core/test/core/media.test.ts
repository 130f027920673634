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

/** A call whose answer is with the media service, twice. */
async function answeredTwice() {
  const driver = await Driver.start({ anchor: true });
  register(driver, '1002', PHONE);
  const [offer] = asked(driver.message(request({ headers: SDP, body: 'offer' }), { port: CALLER }));
  const invite = to(reply(driver, offer!, 200), PHONE)[0]!;
  const ok = answer(invite, '200 OK', 'callee', CONTACT, 'answer');
  const pending = [0, 1].map(() => asked(driver.message(ok, { port: PHONE }))[0]!);
  return { driver, ok, pending: pending as [number, number] };
}

describe('an answer and its repetition at the media service', () => {
  it('is ended each time it comes when the caller has had the refusal', async () => {
    const { driver, ok, pending } = await answeredTwice();
    const ended = [
      `ACK sip:1002@127.0.0.1:${PHONE} SIP/2.0 > ${PHONE}`,
      `BYE sip:1002@127.0.0.1:${PHONE} SIP/2.0 > ${PHONE}`,
    ];
    expect(lines(reply(driver, pending[0], 503))).toEqual([
      ...ended,
      `SIP/2.0 503 Service Unavailable > ${CALLER}`,
    ]);
    expect(lines(reply(driver, pending[1], 200))).toEqual([]); // of a call that has ended
    expect(lines(driver.message(ok, { port: PHONE }))).toEqual(ended);
  });

  it('goes on when it has been forwarded and only its repetition was refused', async () => {
    const { driver, pending } = await answeredTwice();
    expect(lines(reply(driver, pending[0], 200))).toEqual([`SIP/2.0 200 OK > ${CALLER}`]);
    expect(lines(reply(driver, pending[1], 503))).toEqual([]);
    expect(driver.counter(abi.C_CALLS_ACTIVE)).toBe(1);
  });

  it('is ended along the Route of other proxies', async () => {
    const { driver, ok, pending } = await answeredTwice();
    reply(driver, pending[0], 503);
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
