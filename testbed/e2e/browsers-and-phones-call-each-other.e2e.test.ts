import { describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { phone, useSwitch } from '../../switch/test/e2e/harness/rig.ts';
import { eventually } from '../../switch/test/e2e/harness/wait.ts';
import { BrowserPhone, type BrowserPhoneOptions } from './browser.ts';

const BROWSER_HZ = 700;
const PHONE_HZ = 1_000;

describe('the softphone page in Chromium', () => {
  const strowger = useSwitch();

  /** A browser for this test, signed in. */
  async function browser(options: Omit<BrowserPhoneOptions, 'web'>): Promise<BrowserPhone> {
    const one = await BrowserPhone.start({ ...options, web: strowger().web });
    onTestFinished(() => one.stop());
    onTestFailed(() => console.error(`page of ${one.user}:\n${one.lines.slice(-30).join('\n')}`));
    return one;
  }

  test('registers over WebSocket, and takes its registration back', async () => {
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    const { registrations } = await strowger().api<{ registrations: { aor: string; transport: string }[] }>(
      '/registrations',
    );
    const [found] = registrations.filter(({ aor }) => aor.includes('1005'));
    expect(found?.transport.toLowerCase()).toBe('ws');
    await one.signOut();
    await strowger().empties(0);
  });

  test('calls a phone: both hear each other, the browser hangs up', async () => {
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    await one.dial('1002');
    await desk.answer();
    await one.phase('active');
    await Promise.all([one.hears(PHONE_HZ), desk.hears(BROWSER_HZ)]);
    expect(await one.listen(BROWSER_HZ)).toBe(0);
    await one.hangup();
    await desk.event('CALL_CLOSED');
    await strowger().empties(2);
  });

  test('is called by a phone: both hear each other, the phone hangs up', async () => {
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    await desk.dial('sip:1005@strowger.test');
    await one.answer();
    await desk.event('CALL_ESTABLISHED', 8_000);
    await Promise.all([one.hears(PHONE_HZ), desk.hears(BROWSER_HZ)]);
    await desk.hangup();
    await one.phase('none');
    await strowger().empties(2);
  });

  test('calls another browser: both hear each other', async () => {
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    const other = await browser({ user: '1006', toneHz: 1_300 });
    await one.dial('1006');
    await other.answer();
    await Promise.all([one.phase('active'), other.phase('active')]);
    await Promise.all([one.hears(1_300), other.hears(BROWSER_HZ)]);
    await other.hangup();
    await one.phase('none');
    await strowger().empties(2);
  });

  test('holds and resumes: the phone falls silent for it, and is back', async () => {
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    await one.dial('1002');
    await desk.answer();
    await one.hears(PHONE_HZ);
    await one.hold(true);
    await eventually('silence', async () => (await one.listen(PHONE_HZ, 500)) === 0);
    await one.hold(false);
    await one.hears(PHONE_HZ);
    await one.hangup();
    await desk.event('CALL_CLOSED');
  });

  test('dials digits that the phone receives', async () => {
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    await one.dial('1002');
    await desk.answer();
    await one.hears(PHONE_HZ);
    await one.digits('73#');
    let digits = '';
    while (digits.length < 3) digits += (await desk.event('CALL_DTMF_START', 8_000)).param ?? '';
    expect(digits).toBe('73#');
    await one.hangup();
    await desk.event('CALL_CLOSED');
  });

  test('a call goes on while the connection is lost and found again', async () => {
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    await one.dial('1002');
    await desk.answer();
    await one.hears(PHONE_HZ);
    await one.page.context().setOffline(true);
    await one.state('waiting');
    await one.page.context().setOffline(false);
    await one.state('registered', 15_000);
    await Promise.all([one.hears(PHONE_HZ), desk.hears(BROWSER_HZ)]);
    await desk.hangup(); // reaches the browser on its new connection
    await one.phase('none');
  });

  test('reconnects after a lost connection and can be called again', async () => {
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    await one.page.context().setOffline(true);
    await one.state('waiting');
    await one.page.context().setOffline(false);
    await one.state('registered', 15_000);
    await desk.dial('sip:1005@strowger.test');
    await one.answer();
    await one.hears(PHONE_HZ);
    await desk.hangup();
    await one.phase('none');
  });
});
