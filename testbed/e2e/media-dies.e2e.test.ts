import { describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { nodeOf, PAIR, synced } from '../../switch/test/e2e/harness/pair.ts';
import { phone, useSwitch } from '../../switch/test/e2e/harness/rig.ts';
import { eventually, sleep } from '../../switch/test/e2e/harness/wait.ts';
import { BrowserPhone, type BrowserPhoneOptions } from './browser.ts';

const BROWSER_HZ = 700;
const OTHER_HZ = 1_300;
const PHONE_HZ = 1_000;

describe.each([
  ['mediasoup worker', {}],
  ['media process', PAIR],
] as const)('when the %s is killed, browsers talk on', (what, options) => {
  const strowger = useSwitch(options);

  /** A browser for this test, signed in. */
  async function browser(options: Omit<BrowserPhoneOptions, 'web'>): Promise<BrowserPhone> {
    const one = await BrowserPhone.start({ ...options, web: strowger().web });
    onTestFinished(() => one.stop());
    onTestFailed(() => console.error(`page of ${one.user}:\n${one.lines.slice(-30).join('\n')}`));
    return one;
  }

  async function victims(): Promise<number[]> {
    if (what === 'mediasoup worker') return strowger().workerPids();
    const { nodes } = await strowger().api<{ nodes: { role: string; pid: number }[] }>('/nodes');
    return nodes.filter(({ role }) => role === 'media').map(({ pid }) => pid);
  }

  async function killIt(): Promise<void> {
    for (const pid of await victims()) process.kill(pid, 'SIGKILL');
  }

  /** Kills it, and waits until the legs of browsers have answered the offer of another transport. */
  async function killAndWait(legs: number): Promise<void> {
    const done = async () =>
      (await strowger().metrics()).sum('strowger_renegotiations_total', { result: 'ok' });
    const before = await done();
    await killIt();
    await eventually('legs have another transport', async () => (await done()) - before >= legs, 10_000);
  }

  test('with a phone: both hear each other, hold and resume from each end, the phone hangs up', async () => {
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    await one.dial('1002');
    await desk.answer();
    await Promise.all([one.hears(PHONE_HZ), desk.hears(BROWSER_HZ)]);
    for (let i = 0; i < 2; i++) {
      await sleep(3_000); // a spare process, where there is one, has been started
      const silence = desk.longestSilenceMs(3_000);
      await killAndWait(1);
      console.log(`gap after kill -9 of the ${what}, heard by the phone: ${(await silence).toFixed()} ms`);
      await Promise.all([one.hears(PHONE_HZ), desk.hears(BROWSER_HZ)]);
    }
    // baresip records no more after it was put on hold, but counts what comes.
    for (const end of [one, desk]) {
      await (end === one ? one.hold(true) : desk.hold());
      await eventually('silence', async () => (await one.listen(PHONE_HZ, 500)) === 0);
      await (end === one ? one.hold(false) : desk.resume());
      await one.hears(PHONE_HZ);
      const before = await desk.receivedS();
      await eventually('the phone hears', async () => (await desk.receivedS()) > before + 0.5);
    }
    await desk.hangup();
    await one.phase('none');
  });

  test('with another browser: both hear each other, hold and resume, the caller hangs up', async () => {
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    const other = await browser({ user: '1006', toneHz: OTHER_HZ });
    await one.dial('1006');
    await other.answer();
    await Promise.all([one.hears(OTHER_HZ), other.hears(BROWSER_HZ)]);
    await killAndWait(2);
    await Promise.all([one.hears(OTHER_HZ), other.hears(BROWSER_HZ)]);
    await other.hold(true);
    await eventually('silence', async () => (await other.listen(BROWSER_HZ, 500)) === 0);
    await other.hold(false);
    await Promise.all([one.hears(OTHER_HZ), other.hears(BROWSER_HZ)]);
    await one.hangup();
    await other.phase('none');
  });

  test('one that rings when it happens hears as soon as it has answered', async () => {
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await browser({ user: '1005', toneHz: BROWSER_HZ });
    await desk.dial('sip:1005@strowger.test');
    await one.phase('incoming');
    await killIt();
    await sleep(1_500);
    await one.answer();
    await Promise.all([one.hears(PHONE_HZ), desk.hears(BROWSER_HZ)]);
    await one.hangup();
    await desk.event('CALL_CLOSED');
    expect((await strowger().metrics()).sum('strowger_renegotiations_total', { result: 'failed' })).toBe(0);
  });
});

describe('when more than media dies, a browser and a phone talk on', () => {
  const strowger = useSwitch(PAIR);

  async function talk(): Promise<[BrowserPhone, Awaited<ReturnType<typeof phone>>]> {
    await synced(strowger());
    const desk = await phone(strowger(), { user: '1002', toneHz: PHONE_HZ });
    const one = await BrowserPhone.start({ user: '1005', toneHz: BROWSER_HZ, web: strowger().web });
    onTestFinished(() => one.stop());
    onTestFailed(() => console.error(`page of ${one.user}:\n${one.lines.slice(-30).join('\n')}`));
    await one.dial('1002');
    await desk.answer();
    await Promise.all([one.hears(PHONE_HZ), desk.hears(BROWSER_HZ)]);
    return [one, desk];
  }

  test('the worker, while the browser has no connection', async () => {
    const [one, desk] = await talk();
    await one.page.context().setOffline(true);
    await one.state('waiting');
    for (const pid of strowger().workerPids()) process.kill(pid, 'SIGKILL');
    await sleep(1_000);
    await one.page.context().setOffline(false);
    await one.state('registered', 15_000);
    await Promise.all([one.hears(PHONE_HZ), desk.hears(BROWSER_HZ)]);
    await desk.hangup();
    await one.phase('none');
  });

  test('the active node and the worker at once', async () => {
    const [one, desk] = await talk();
    for (const pid of strowger().workerPids()) process.kill(pid, 'SIGKILL');
    process.kill((await nodeOf(strowger(), 'active')).pid, 'SIGKILL');
    await one.state('registered', 20_000);
    await Promise.all([one.hears(PHONE_HZ, 15_000), desk.hears(BROWSER_HZ, 15_000)]);
    await one.hangup();
    await desk.event('CALL_CLOSED');
  });

  test('the active node and the media process at once', async () => {
    const [one, desk] = await talk();
    const [active, media] = [await nodeOf(strowger(), 'active'), await nodeOf(strowger(), 'media')];
    process.kill(active.pid, 'SIGKILL');
    process.kill(media.pid, 'SIGKILL');
    await one.state('registered', 20_000);
    await Promise.all([one.hears(PHONE_HZ, 15_000), desk.hears(BROWSER_HZ, 15_000)]);
    await desk.hangup();
    await one.phase('none');
  });
});
