/** The lab page, as `npm run build:lab` makes it, from a server that knows nothing of it and at a path of its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeFolder, removeFolder } from '../../switch/test/e2e/harness/folder.ts';
import { REPOSITORY } from '../../switch/test/e2e/harness/repository.ts';
import { busyScenario } from '../../wasm-core/sim/busy.ts';
import { play } from '../../wasm-core/sim/play.ts';
import { buildDefect } from '../../wasm-core/sim/defects/build.ts';
import { DEFECTS } from '../../wasm-core/sim/defects/defects.ts';
import { readScenario, writeScenario } from '../../wasm-core/sim/scenario-file.ts';
import { drawScenario } from '../../wasm-core/sim/swarm.ts';
import { builtIn } from '../lab/scenarios.ts';
import type {} from '../lab/hook.ts';
import { CORE } from '../test/lab/core.ts';
import { effectsOf, KEY, Tape, traffic } from '../../switch/test/recording/tape.ts';
import { launchChromium } from './browser.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const PATH = '/some/where/';
const S = 1_000_000;

let folder: string;
let server: Server;
let browser: Browser;
let page: Page;
let url: string;
const errors: string[] = [];

beforeAll(async () => {
  folder = makeFolder('lab');
  const vite = join(REPOSITORY, 'node_modules/vite/bin/vite.js');
  const args = [
    '--config',
    'testbed/vite.config.ts',
    '--mode',
    'lab',
    '--outDir',
    folder,
    '--logLevel',
    'warn',
  ];
  // Not the NODE_ENV of the tests: it would make another page.
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync(process.execPath, [vite, 'build', 'testbed/lab', ...args], { cwd: REPOSITORY, env });
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const file = join(folder, pathname.slice(PATH.length) || 'index.html');
    if (!pathname.startsWith(PATH) || !existsSync(file)) return void response.writeHead(404).end();
    response
      .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
      .end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(8_000);
  page.on('pageerror', (error) => errors.push(error.message));
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  if (folder) removeFolder(folder);
});

/** Opens the page anew. */
async function open(fragment = '', on = page): Promise<void> {
  await on.goto('about:blank');
  await on.goto(url + fragment);
  await on.waitForFunction(() => window.strowgerLab !== undefined);
}

/** Runs to a moment of virtual time, and waits until it is there. */
async function seek(us: number, on = page): Promise<void> {
  await on.evaluate((to) => window.strowgerLab!.seek(to), us);
  await on.waitForFunction((to) => window.strowgerLab!.view.nowUs === to, us);
}

const hash = (on = page) => on.getByTestId('hash').textContent();

describe('the lab page', () => {
  test('comes to the same as Node', async () => {
    await open();
    for (const seed of [1, 2, 3]) {
      const here = play(drawScenario(seed, { minutes: 3 }), CORE);
      const there = await page.evaluate((s) => window.strowgerLab!.runSeed(s, { minutes: 3 }), seed);
      expect(there).toMatchObject(here);
    }
    const json = writeScenario(builtIn('node-dies')!.make());
    const there = await page.evaluate((text) => window.strowgerLab!.runScenario(text), json);
    expect(there).toMatchObject(play(builtIn('node-dies')!.make(), CORE));
  });

  test('plays, shows a call and its messages', async () => {
    await open('#scenario=two-phones');
    await seek(3.9 * S);
    await page.keyboard.press('Space');
    await page.waitForFunction(() => window.strowgerLab!.view.messages > 10);
    await page.keyboard.press('Space');
    await seek(10 * S);
    await page.getByTestId('hosts-tab').click();
    await page.getByTestId('call').click();
    await page.getByRole('button', { name: /p1 to A: INVITE/ }).click();
    const message = page.getByTestId('message');
    expect(await message.textContent()).toContain('INVITE sip:1002@strowger.test SIP/2.0');
    expect(await message.textContent()).toContain('Record-Route');
  });

  test('is worked by hand, rewound, and shared as a link', async () => {
    await open('#scenario=two-phones');
    await seek(2 * S);
    await page.getByTestId('phone-p2').click();
    await page.getByTestId('place-call').click();
    await seek(6 * S);
    await page.getByTestId('node-A').focus();
    await page.keyboard.press('Enter');
    await page.getByTestId('kill').click();
    await seek(7 * S);
    await page.getByTestId('restart-node').click();
    await seek(30 * S);
    const before = await hash();
    await seek(1 * S);
    expect(await hash()).not.toBe(before);
    await seek(30 * S);
    expect(await hash()).toBe(before);
    await page.getByTestId('share').click();
    await page.waitForFunction(() => location.hash.startsWith('#s='));
    const fragment = new URL(page.url()).hash;
    const other = await browser.newPage();
    await open(fragment, other);
    await other.waitForFunction((us) => window.strowgerLab!.view.nowUs === us, 30 * S);
    expect(await hash(other)).toBe(before);
    await other.close();
  });

  test('lets somebody answer a phone', async () => {
    await open('#scenario=two-phones');
    await page.getByTestId('phone-p2').click();
    await page.getByTestId('take').click();
    await seek(10 * S);
    await page.getByTestId('answer').click();
    await seek(11 * S);
    expect(await page.evaluate(() => window.strowgerLab!.view.callsUp)).toBe(1);
    await page.getByTestId('hang-up').click();
    await seek(12 * S);
    expect(await page.evaluate(() => window.strowgerLab!.view.callsUp)).toBe(0);
  });

  test("rings aloud for a phone in somebody's hand, and only then", async () => {
    await open('#scenario=two-phones');
    await seek(5 * S);
    const tone = () => page.evaluate(() => window.strowgerLab!.tone);
    const isRinging = () => page.waitForFunction(() => window.strowgerLab!.tone === 'ring');
    await page.getByTestId('speed').fill('-1');
    await page.getByTestId('play').click();
    expect(await tone()).toBe(null);
    await page.getByTestId('restart').click();
    await page.getByTestId('phone-p2').click();
    await page.getByTestId('take').click();
    await seek(5 * S);
    await isRinging();
    await page.getByTestId('sounds').uncheck();
    expect(await tone()).toBe(null);
    await page.getByTestId('sounds').check();
    await isRinging();
    const setHidden = (isHidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
    await setHidden(true);
    expect(await tone()).toBe(null);
    await setHidden(false);
    await isRinging();
    await page.getByTestId('play').click();
    expect(await tone()).toBe(null);
  });

  test('lets an operator end a call', async () => {
    await open('#scenario=two-phones');
    await seek(12 * S);
    await page.getByTestId('hosts-tab').click();
    await page.getByTestId('call').click();
    await page.getByTestId('end-call').click();
    await seek(14 * S);
    expect(await page.evaluate(() => window.strowgerLab!.view.callsUp)).toBe(0);
    expect(await page.getByTestId('end-call').count()).toBe(0);
  });

  test('has tabs that the arrow keys change', async () => {
    await open();
    const [trace, hosts] = ['Trace', 'Calls and hosts'].map((name) => page.getByRole('tab', { name }));
    await trace!.focus();
    await page.keyboard.press('ArrowRight');
    expect(await hosts!.getAttribute('aria-selected')).toBe('true');
    expect(await hosts!.evaluate((tab) => tab === document.activeElement)).toBe(true);
    await page.getByRole('tabpanel', { name: 'Calls and hosts' }).waitFor();
    await page.keyboard.press('ArrowRight');
    expect(await trace!.getAttribute('aria-selected')).toBe('true');
    expect(await hosts!.getAttribute('tabindex')).toBe('-1');
    expect(await page.evaluate(() => window.strowgerLab!.view.nowUs)).toBe(0);
  });

  test('is worked by keys, on the time line too, and the focus comes back', async () => {
    await open('#scenario=two-phones');
    await seek(3 * S);
    const now = () => page.evaluate(() => window.strowgerLab!.view.nowUs);
    await page.getByTestId('timeline').focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((us) => window.strowgerLab!.view.nowUs === us, 4 * S);
    await page.keyboard.press('n');
    expect(await now()).toBeGreaterThan(4 * S);
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Pause' }).click();
    const phone = page.getByTestId('phone-p1');
    await phone.focus();
    await page.keyboard.press('Enter');
    await page.getByTestId('inspector').getByRole('button', { name: 'Close' }).press('Enter');
    expect(await phone.evaluate((at) => at === document.activeElement)).toBe(true);
  });

  test('takes a file that is dropped', async () => {
    await open();
    const drop = async (name: string, text: string) => {
      const dataTransfer = await page.evaluateHandle(
        ([called, content]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([content], called));
          return transfer;
        },
        [name, text] as const,
      );
      await page.dispatchEvent('body', 'dragover', { dataTransfer });
      await page.getByTestId('dropping').waitFor();
      await page.dispatchEvent('body', 'drop', { dataTransfer });
      await page.getByTestId('dropping').waitFor({ state: 'detached' });
    };
    await drop('a.json', '{');
    await page.getByRole('alert').getByText('a.json').waitFor();
    await drop('a.swrec', 'no recording');
    await page.getByRole('heading', { name: 'Recording a.swrec' }).waitFor();
    await drop('a.json', writeScenario(builtIn('forking')!.make()));
    await page.getByRole('heading', { level: 1, name: 'One number, three devices' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('shows how far a long rewind is, and stays where it is told to', async () => {
    await open();
    const scenario = busyScenario(1, 600);
    await page.evaluate((what) => window.strowgerLab!.open({ kind: 'scenario', scenario: what }), scenario);
    const endUs = scenario.durationMs * 1_000;
    await page.evaluate((us) => window.strowgerLab!.seek(us), endUs);
    const progress = page.getByRole('progressbar');
    const done = await progress.evaluate((bar) => (bar as HTMLProgressElement).value);
    await page.getByTestId('stop-seeking').click();
    await progress.waitFor({ state: 'detached' });
    const nowUs = await page.evaluate(() => window.strowgerLab!.view.nowUs);
    expect(nowUs).toBeGreaterThanOrEqual(done * endUs);
    expect(nowUs).toBeLessThan(endUs);
  });

  test('opens a seed and a scenario file, and says what is wrong with one', async () => {
    await open();
    await page.getByTestId('open').click();
    await page.getByTestId('seed').fill('42');
    await page.getByTestId('open-seed').click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Seed 42');
    await page.getByTestId('open').click();
    const file = (text: string) => ({
      name: 'a.json',
      mimeType: 'application/json',
      buffer: Buffer.from(text),
    });
    await page.getByTestId('open-file').setInputFiles(file('{"version": 1}'));
    expect(await page.getByRole('alert').textContent()).toContain('title');
    await page.getByTestId('open-file').setInputFiles(file(writeScenario(builtIn('forking')!.make())));
    await page.getByRole('heading', { level: 1, name: 'One number, three devices' }).waitFor();
  });

  test('replays a recording of a production node, and shows its calls', async () => {
    const wasm = new Uint8Array(readFileSync(join(REPOSITORY, 'build/core.wasm')));
    const tape = await Tape.start(wasm);
    traffic(tape, 5);
    await open();
    const show = async (recording: Uint8Array) => {
      await page.getByTestId('open').click();
      const file = { name: 'a.swrec', mimeType: 'application/octet-stream', buffer: Buffer.from(recording) };
      await page.getByTestId('open-file').setInputFiles(file);
      const key = {
        name: 'key',
        mimeType: 'application/octet-stream',
        buffer: Buffer.from(Buffer.from(KEY).toString('hex')),
      };
      await page.getByTestId('recording-key').setInputFiles(key);
      const text = await page.getByTestId('replay-result').textContent();
      return text!;
    };
    expect(await show(await tape.file(tape.blocks()))).toContain('all effects are equal');
    await page.getByTestId('call').first().click();
    expect(await page.getByTestId('rung').count()).toBeGreaterThan(1);
    await page.getByRole('button', { name: 'Back to the lab' }).click();
    const damaged = tape.blocks();
    effectsOf(damaged, 4)[123]! ^= 1;
    expect(await show(await tape.file(damaged))).toContain('differs from byte');
  });

  test('stops when a rule is broken, and says which', async () => {
    const defect = DEFECTS.find(({ name }) => name === 'lost-timer-g')!;
    const core = Buffer.from(buildDefect(defect));
    await page.route('**/core-*.wasm', (route) => route.fulfill({ body: core }));
    await open();
    await page.getByTestId('open').click();
    const kept = join(REPOSITORY, 'wasm-core/sim/scenarios/lost-timer-g.json');
    const { failure } = play(readScenario(readFileSync(kept, 'utf8')), await WebAssembly.compile(core));
    await page.getByTestId('open-file').setInputFiles(kept);
    await page.getByTestId('fastest').check();
    await page.getByTestId('play').click();
    expect(await page.getByTestId('failure').textContent()).toContain(failure!.text);
    expect(await page.evaluate(() => window.strowgerLab!.view.nowUs)).toBe(failure!.atUs);
    await page.getByRole('button', { name: 'About this rule' }).click();
    const rule = page.getByTestId('rule-page');
    await rule.getByRole('heading', { name: failure!.checker }).waitFor();
    await page.getByTestId('all-rules').click();
    await rule.getByRole('heading', { name: 'What is checked' }).waitFor();
    await rule.getByRole('link', { name: 'no-trap' }).click();
    await rule.getByText('The core never traps').waitFor();
    await page.unroute('**/core-*.wasm');
  });

  test('had no error', () => {
    expect(errors).toEqual([]);
  });
});
