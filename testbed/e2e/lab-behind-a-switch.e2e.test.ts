/** The lab as a switch serves it, at /lab, with its content security policy. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ua } from '../../switch/test/e2e/harness/rig.ts';
import { Switch } from '../../switch/test/e2e/harness/switch.ts';
import type {} from '../lab/hook.ts';
import { bye, establish } from '../../switch/test/e2e/harness/wire-call.ts';
import { launchChromium } from './browser.ts';

let host: Switch;
let browser: Browser;

beforeAll(async () => {
  host = await Switch.start({
    change: (config) => {
      config.recording = { mode: 'memory' };
    },
  });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

test('runs its cores, has its rules, hears and rings, and breaks no policy', async () => {
  const page = await browser.newPage();
  const lines: string[] = [];
  page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => lines.push(error.message));
  page.on('requestfailed', (request) => lines.push(`${request.url()} failed`));
  await page.goto(`http://${host.web}/lab#scenario=two-phones`);
  await page.getByTestId('phone-p2').click();
  await page.getByTestId('take').click();
  await page.evaluate(() => window.strowgerLab!.seek(5_000_000));
  await page.getByTestId('play').click();
  await page.waitForFunction(() => window.strowgerLab!.tone === 'ring');
  await page.getByTestId('answer').click();
  await page.getByLabel('Hear your microphone at the other side').check();
  await page.waitForFunction(() => window.strowgerLab!.view.callsUp === 1);
  await page.getByTestId('share').click();
  await page.waitForFunction(() => location.hash.startsWith('#s='));
  await page.getByTestId('rules').click();
  await page.getByRole('link', { name: 'no-trap' }).click();
  await page.getByText('The core never traps').waitFor();
  expect(lines).toEqual([]);
});

test('replays what that switch recorded, when recording and key are dropped', async () => {
  const caller = await ua(host, { user: '1001' });
  const callee = await ua(host, { user: '1002' });
  await callee.register();
  const call = await establish(caller, callee);
  await bye(caller, call.callerSide, callee);
  const { name } = await host.api<{ name: string }>('/recordings', 'POST');
  const folder = join(host.folder, 'recordings');
  const files = [name, 'recording.key'].map((file) => ({
    name: file,
    bytes: [...readFileSync(join(folder, file))],
  }));
  const page = await browser.newPage();
  await page.goto(`http://${host.web}/lab`);
  const dataTransfer = await page.evaluateHandle((dropped) => {
    const transfer = new DataTransfer();
    for (const file of dropped) transfer.items.add(new File([new Uint8Array(file.bytes)], file.name));
    return transfer;
  }, files);
  await page.dispatchEvent('body', 'drop', { dataTransfer });
  await page.getByTestId('replay-result').getByText('all effects are equal').waitFor();
  await page.getByTestId('call').first().click();
  expect(await page.getByTestId('rung').count()).toBeGreaterThan(10);
});
