import { beforeEach, describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { Driver, header, lines, sent } from '../support/driver.ts';
import { register, request } from '../support/phone.ts';

const CALLER = 5070;
const PHONE = 7001;

describe('an INVITE that was refused', () => {
  let driver: Driver;
  beforeEach(async () => {
    driver = await Driver.start();
  });
  const drain = (on: number) => driver.event(abi.EV_DRAIN, { args: [on] });
  const call = (branch: string) => driver.message(request({ callId: 'refused', branch }), { port: CALLER });

  it('is refused again when it is repeated, though there would be room by now', () => {
    register(driver, '1002', PHONE);
    drain(1);
    const first = sent(call('z9hG4bKa'))[0]!.text;
    drain(0);
    const again = call('z9hG4bKa');
    expect(lines(again)).toEqual([`SIP/2.0 503 Service Unavailable > ${CALLER}`]);
    expect(sent(again)[0]!.text).toBe(first);
    expect(header(first, 'Retry-After')).toHaveLength(1);
    expect(driver.leftovers.transactions).toBe(0);
  });

  it('is refused again though the callee has registered by now', () => {
    expect(lines(call('z9hG4bKa'))).toEqual([`SIP/2.0 480 Temporarily Unavailable > ${CALLER}`]);
    register(driver, '1002', PHONE);
    expect(lines(call('z9hG4bKa'))).toEqual([`SIP/2.0 480 Temporarily Unavailable > ${CALLER}`]);
    driver.wait(32_000); // nobody repeats an INVITE for longer
    expect(lines(call('z9hG4bKa'))).toContain(`INVITE sip:1002@127.0.0.1:${PHONE} SIP/2.0 > ${PHONE}`);
  });

  it('is another one with another branch', () => {
    call('z9hG4bKa');
    register(driver, '1002', PHONE);
    expect(lines(call('z9hG4bKb'))).toContain(`INVITE sip:1002@127.0.0.1:${PHONE} SIP/2.0 > ${PHONE}`);
  });
});
