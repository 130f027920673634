/**
 * Pictures of the softphone for the documentation and for looking at: `node testbed/e2e/screenshots.ts`.
 *
 * A switch must be running (npm start); two browser pages call each other through it.
 *   --web HOST:PORT   its web server (default 127.0.0.1:8080)
 *   --standin         none is running: use the tests' stand-in, and the built pages
 *   --all FOLDER      every state, in light and dark, at desktop and phone width, into this folder;
 *                     otherwise those of the documentation, into docs/views
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type {} from '../softphone/hook.ts';
import { StandIn } from '../test/harness/standin.ts';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(ROOT, 'testbed/dist');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
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
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;

type Size = keyof typeof SIZES;
type Scheme = 'light' | 'dark';

/** Where the pages are, and the SIP server if it isn't beside them. */
interface Place {
  page: string;
  server: string;
  stop(): void;
}

/** The stand-in, and the built pages on a port of their own. */
async function standInPlace(): Promise<Place> {
  const users = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${1001 + i}`, `demo-${1001 + i}`]));
  const standIn = new StandIn({ users });
  await standIn.start();
  const types: Record<string, string> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.svg': 'image/svg+xml',
  };
  const web = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    const file = join(DIST, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response
      .writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
      .end(readFileSync(file));
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  return {
    page: `http://127.0.0.1:${(web.address() as AddressInfo).port}/`,
    server: standIn.url,
    stop: () => {
      standIn.close();
      web.close();
    },
  };
}

/** One person in a window of its own. */
class Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly #place: Place;

  private constructor(context: BrowserContext, page: Page, place: Place) {
    this.context = context;
    this.page = page;
    this.#place = place;
  }

  static async open(browser: Browser, place: Place, size: Size, scheme: Scheme): Promise<Tab> {
    const context = await browser.newContext({
      viewport: SIZES[size],
      deviceScaleFactor: 2,
      colorScheme: scheme,
      hasTouch: size === 'phone',
      locale: 'en-GB',
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    const tab = new Tab(context, page, place);
    await page.goto(`${place.page}?server=${encodeURIComponent(place.server)}`);
    await tab.by('sign-in').waitFor();
    return tab;
  }

  by(testId: string) {
    return this.page.getByTestId(testId);
  }

  async signIn(user: string, name = ''): Promise<void> {
    await this.page.goto(
      `${this.#place.page}?server=${encodeURIComponent(this.#place.server)}&displayName=${encodeURIComponent(name)}`,
    );
    await this.by('sign-in-user').fill(user);
    await this.by('sign-in-password').fill(`demo-${user}`);
    await this.by('sign-in').click();
    await this.page.locator('[data-testid=line][data-state=registered]').waitFor();
  }

  async dial(number: string): Promise<void> {
    await this.by('number').fill(number);
    await this.by('call').click();
  }

  async phase(name: string): Promise<void> {
    await this.page.locator(`[data-testid=call-card][data-phase=${name}]`).first().waitFor();
  }

  async idle(): Promise<void> {
    await this.by('number').waitFor();
  }
}

type Shoot = (state: string, tab: Tab) => Promise<void>;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What an in-call picture waits for, ms: some quality must have been measured. */
const TALK_MS = 12_000;
const DOCS_TALK_MS = 45_000;

/** One call that was missed and one that was short, so that there is a history. */
async function live(tab: Tab, carol: Tab): Promise<void> {
  await carol.dial('1001');
  await tab.phase('incoming');
  await carol.by('hangup').click();
  await tab.by('ended').waitFor();
  await tab.dial('1003');
  await carol.by('answer').click();
  await tab.phase('active');
  await pause(4_000);
  await tab.by('hangup').click();
  await tab.idle();
}

/** Brings a page into every state, one after the other. */
async function tour(
  browser: Browser,
  place: Place,
  size: Size,
  scheme: Scheme,
  shoot: Shoot,
  talkMs: number = TALK_MS,
): Promise<void> {
  const tab = await Tab.open(browser, place, size, scheme);
  const bob = await Tab.open(browser, place, 'desktop', 'light');
  const carol = await Tab.open(browser, place, 'desktop', 'light');
  await shoot('signed-out', tab);
  await tab.by('sign-in-user').fill('1001');
  await tab.by('sign-in-password').fill('not it');
  await tab.by('sign-in').click();
  await tab.by('sign-in-failure').waitFor();
  await shoot('wrong-password', tab);

  await Promise.all([
    tab.signIn('1001'),
    bob.signIn('1002', 'Bea Okafor'),
    carol.signIn('1003', 'Carl Lind'),
  ]);
  await shoot('idle-empty', tab);
  await tab.dial('1999');
  await tab.by('ended').waitFor();
  await shoot('not-found', tab);
  await live(tab, carol);
  await bob.dial('1001');
  await tab.phase('incoming');
  await pause(700);
  await shoot('incoming', tab);
  await tab.by('answer').click();
  await tab.phase('active');
  await pause(talkMs);
  await tab.page.waitForFunction(() => {
    const { levels } = window.strowgerPhone!;
    return levels.in > 0.5 && levels.out > 0.5;
  });
  await shoot('in-call', tab);
  await tab.by('keypad').click();
  for (const key of ['1', '2', '#']) await tab.by(`key-${key}`).click();
  await shoot('tones', tab);
  await tab.by('keypad').click();
  await carol.dial('1001');
  await tab.phase('incoming');
  await shoot('call-waiting', tab);
  await tab.by('answer').click();
  await pause(2_500);
  await shoot('two-calls', tab);
  await tab.by('hangup').click();
  await pause(600);
  await shoot('on-hold', tab);
  await tab.by('hold').click();
  await pause(800);
  await tab.context.setOffline(true);
  await tab.by('reconnect-countdown').waitFor();
  await pause(2_500);
  await shoot('reconnecting', tab);
  await tab.context.setOffline(false);
  await tab.page.locator('[data-testid=line][data-state=registered]').waitFor();
  await bob.by('hangup').click();
  await tab.idle();
  await shoot('idle', tab);
  await tab.dial('1003');
  await tab.phase('ringing');
  await shoot('ringing', tab);
  await carol.by('reject').click();
  await tab.by('ended').waitFor();
  await shoot('busy', tab);
  if (size === 'phone') {
    await tab.by('tab-history').click();
    await shoot('history', tab);
    await tab.by('tab-settings').click();
    await shoot('audio', tab);
  }
  await Promise.all([tab, bob, carol].map(({ context }) => context.close()));
}

/** The two pictures of the documentation. */
async function forDocs(browser: Browser, place: Place): Promise<void> {
  const views: [Size, Scheme, string][] = [
    ['desktop', 'light', 'softphone.png'],
    ['phone', 'dark', 'softphone-phone-dark.png'],
  ];
  mkdirSync(join(ROOT, 'docs/views'), { recursive: true });
  for (const [size, scheme, file] of views) {
    const shoot: Shoot = async (state, tab) => {
      if (state === 'in-call') await tab.page.screenshot({ path: join(ROOT, 'docs/views', file) });
    };
    await tour(browser, place, size, scheme, shoot, DOCS_TALK_MS);
  }
}

async function everything(browser: Browser, place: Place, folder: string, only: string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const size of ['desktop', 'phone'] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      if (only.length > 0 && !only.includes(`${size}-${scheme}`)) continue;
      await tour(browser, place, size, scheme, async (state, tab) => {
        await tab.page.screenshot({ path: join(folder, `${state}-${size}-${scheme}.png`) });
      });
    }
  }
}

const { values } = parseArgs({
  options: {
    web: { type: 'string', default: '127.0.0.1:8080' },
    standin: { type: 'boolean', default: false },
    all: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const web: Place = { page: `http://${values.web}/`, server: `ws://${values.web}/sip`, stop: () => undefined };
const place = values.standin ? await standInPlace() : web;
const executablePath = process.env['CHROMIUM_BIN'] ?? CHROMIUM.find((path) => existsSync(path));
const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}), args: FLAGS });
try {
  if (values.all === undefined) await forDocs(browser, place);
  else await everything(browser, place, values.all, values.only);
} finally {
  await browser.close();
  place.stop();
}
