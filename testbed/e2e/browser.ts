/** A Chromium with the softphone page: its microphone hears a tone, its ear tells tones apart. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { makeFolder, removeFolder } from '../../switch/test/e2e/harness/folder.ts';
import { writeTone } from '../../switch/test/e2e/harness/tone.ts';
import { eventually, sleep } from '../../switch/test/e2e/harness/wait.ts';
import type {} from '../softphone/hook.ts';
import { installEar, type PageEar } from './ear.ts';

export interface BrowserPhoneOptions {
  /** `127.0.0.1:port` of the switch's web server. */
  web: string;
  user: string;
  /** `demo-<user>` by default. */
  password?: string;
  /** Frequency its microphone hears. */
  toneHz: number;
}

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Flags without which a browser in a container has no microphone, asks questions or hides its addresses. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

/** Starts a Chromium of this machine, or the one that playwright has. */
export function launchChromium(flags: readonly string[] = []): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_BIN'] ?? PROGRAMS.find((path) => existsSync(path));
  return chromium.launch({ ...(executablePath ? { executablePath } : {}), args: [...FLAGS, ...flags] });
}

/** Names that code inside the page uses. */
interface TestWindow extends Window {
  testEar: PageEar;
}

export class BrowserPhone {
  readonly user: string;
  readonly page: Page;
  /** Console lines and errors of the page. */
  readonly lines: string[] = [];
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(user: string, browser: Browser, page: Page, folder: string) {
    this.user = user;
    this.#browser = browser;
    this.page = page;
    this.#folder = folder;
    page.on('console', (message) => this.lines.push(message.text()));
    page.on('pageerror', (error) => this.lines.push(`uncaught: ${error.message}`));
  }

  /** Starts a browser, opens the page and signs in; resolves when the page says that it is registered. */
  static async start(options: BrowserPhoneOptions): Promise<BrowserPhone> {
    const phone = await BrowserPhone.open(options);
    try {
      await phone.signIn(options.password ?? `demo-${options.user}`);
    } catch (error) {
      const lines = phone.lines.slice(-20).join('\n');
      await phone.stop();
      throw new Error(`${(error as Error).message}\n${lines}`);
    }
    return phone;
  }

  /** Starts a browser and opens the page. */
  static async open(options: BrowserPhoneOptions): Promise<BrowserPhone> {
    const folder = makeFolder(`chromium-${options.user}`);
    const tone = join(folder, 'tone.wav');
    writeTone(tone, options.toneHz, 10, 48_000); // whole periods: it repeats without a click
    const browser = await launchChromium([`--use-file-for-fake-audio-capture=${tone}`]);
    const page = await browser.newPage();
    const phone = new BrowserPhone(options.user, browser, page, folder);
    await page.addInitScript(installEar);
    // Voice processing would take a steady tone for noise and remove it.
    await page.goto(`http://${options.web}/?processing=off`);
    return phone;
  }

  async signIn(password: string): Promise<void> {
    await this.#by('sign-in-user').fill(this.user);
    await this.#by('sign-in-password').fill(password);
    await this.#by('sign-in').click();
    await this.state('registered');
  }

  #by(testId: string) {
    return this.page.getByTestId(testId);
  }

  /** Waits until the line is in that state. */
  async state(name: string, timeoutMs = 8_000): Promise<void> {
    await this.page.locator(`[data-testid="line"][data-state="${name}"]`).waitFor({ timeout: timeoutMs });
  }

  /** Dials on the keypad's field and presses call. */
  async dial(number: string): Promise<void> {
    await this.#by('number').fill(number);
    await this.#by('call').click();
  }

  async answer(): Promise<void> {
    await this.#by('answer').click({ timeout: 8_000 });
  }

  async hangup(): Promise<void> {
    await this.#by('hangup').click();
  }

  /** Presses hold, or resumes. */
  async hold(on: boolean): Promise<void> {
    await this.#by('hold').click();
    await this.page.locator(`[data-testid="call-card"][data-held="${on}"]`).waitFor({ timeout: 8_000 });
  }

  /** Sends digits into the call that talks. */
  async digits(tones: string): Promise<void> {
    await this.page.evaluate((text) => window.strowgerPhone?.dtmf(text), tones);
  }

  /** Waits until a call is in that phase; `none`: no call is left. */
  async phase(name: string, timeoutMs = 8_000): Promise<void> {
    const calls = this.#by('call-card');
    if (name === 'none') await calls.first().waitFor({ state: 'detached', timeout: timeoutMs });
    else
      await this.page
        .locator(`[data-testid="call-card"][data-phase="${name}"]`)
        .waitFor({ timeout: timeoutMs });
  }

  /** Part (0..1) of the next `ms` in which it hears the tone. */
  listen(hz: number, ms = 1_000): Promise<number> {
    return this.page.evaluate(
      ([pitch, time]) => (window as unknown as TestWindow).testEar.listen(pitch, time),
      [hz, ms] as const,
    );
  }

  /** Waits until it hears the tone most of the time. */
  async hears(hz: number, timeoutMs = 8_000): Promise<void> {
    await eventually(
      `browser of ${this.user} hears ${hz} Hz`,
      async () => (await this.listen(hz, 600)) > 0.8,
      timeoutMs,
      0,
    );
  }

  /** Signs out, so that nothing stays registered. */
  async signOut(): Promise<void> {
    await this.page.evaluate(() => window.strowgerPhone?.signOut());
  }

  /** Signs out where it can, and ends the browser. */
  async stop(): Promise<void> {
    if (this.#browser.isConnected())
      await Promise.race([this.signOut().catch(() => undefined), sleep(2_000)]);
    await this.#browser.close();
    removeFolder(this.#folder);
  }
}
