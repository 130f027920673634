import { describe, expect, it } from 'vitest';
import * as abi from '../../assembly/abi.ts';
import { type CallRecord, decodeCall, decodeRecords } from '../../host/records.ts';
import { answer, register, request, to } from '../support/phone.ts';
import { Driver } from '../support/driver.ts';

const CALLER = 5070;
const PHONE = 7001;

async function withPhone(init = {}): Promise<Driver> {
  const driver = await Driver.start(init);
  register(driver, '1002', PHONE);
  return driver;
}

function callsOf(driver: Driver): CallRecord[] {
  const [reply] = driver.event(abi.EV_QUERY, { args: [1, abi.QUERY_CALLS, 0, 10] });
  return decodeRecords(reply!.bytes, reply!.args[3]!, decodeCall);
}

/** A message that has waited; the core takes `coreUs` for it, and its effects are sent `sentUs` after the step began. */
function handle(
  driver: Driver,
  text: string,
  port: number,
  us: { waited: number; core: number; sent: number },
) {
  const effects = driver.message(text, { port, waitedUs: us.waited });
  driver.core.account(us.core, driver.nowUs + us.sent);
  return effects;
}

describe('latency of a call', () => {
  it('has the last and the longest of each stage, and set-up from the arrival of the INVITE to its sending', async () => {
    const driver = await withPhone();
    const out = handle(driver, request(), CALLER, { waited: 40, core: 9, sent: 30 });
    const arrived = to(out, PHONE)[0]!;
    driver.nowUs += 1_000;
    handle(driver, answer(arrived, '180 Ringing'), PHONE, { waited: 10, core: 3, sent: 5 });
    expect(callsOf(driver)[0]).toMatchObject({
      queueLastUs: 10,
      queueMaxUs: 40,
      coreLastUs: 3,
      coreMaxUs: 9,
      setupUs: 70,
      breaches: { queue: 0, core: 0, media: 0, setup: 0 },
    });
  });

  it('counts what is above the budgets, stage by stage, and no more than 255 times', async () => {
    const driver = await withPhone({ budgetQueueUs: 50, budgetCoreUs: 10, budgetSetupUs: 100 });
    const arrived = to(handle(driver, request(), CALLER, { waited: 60, core: 9, sent: 50 }), PHONE)[0]!;
    const ringing = answer(arrived, '180 Ringing');
    handle(driver, ringing, PHONE, { waited: 50, core: 11, sent: 50 });
    expect(callsOf(driver)[0]!.breaches).toEqual({ queue: 1, core: 1, media: 0, setup: 1 });
    for (let i = 0; i < 300; i++) handle(driver, ringing, PHONE, { waited: 51, core: 1, sent: 1 });
    expect(callsOf(driver)[0]!.breaches).toEqual({ queue: 255, core: 1, media: 0, setup: 1 });
  });

  it('takes a message without a time of arrival, or with one of the future, as one that did not wait', async () => {
    const driver = await withPhone();
    driver.message(request(), { port: CALLER });
    driver.core.account(1, driver.nowUs + 20);
    driver.message(request(), { port: CALLER, waitedUs: -5_000 });
    driver.core.account(1, driver.nowUs + 20);
    for (const call of callsOf(driver)) expect(call).toMatchObject({ queueMaxUs: 0, setupUs: 20 });
  });

  it('does not count a call that has ended for the one that took its place', async () => {
    const driver = await withPhone();
    const invite = request({ uri: 'sip:nobody@strowger.test' });
    driver.message(invite, { port: CALLER }); // refused
    driver.message(request(), { port: CALLER });
    driver.core.account(7, driver.nowUs + 20);
    expect(callsOf(driver)).toHaveLength(1);
    expect(callsOf(driver)[0]).toMatchObject({ coreMaxUs: 7, setupUs: 20 });
  });
});
