/**
 * Pictures of the lab, from build/lab (npm run build:lab): `node testbed/e2e/lab-screenshots.ts`.
 *   --all FOLDER   many states, in light and dark, at three sizes; otherwise those of the documentation, into docs/views
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import type {} from '../lab/hook.ts';
import { launchChromium } from './browser.ts';
import { serveLab } from './lab-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const SIZES = {
  desktop: { width: 1440, height: 900 },
  projector: { width: 1920, height: 1080 },
  phone: { width: 390, height: 844 },
} as const;
type Size = keyof typeof SIZES;
type Scheme = 'light' | 'dark';

/** What to show: a scenario, a moment in s, and what to click. */
const STATES: Record<string, { scenario: string; atS: number; clicks: readonly string[] }> = {
  start: { scenario: 'two-phones', atS: 4.1, clicks: [] },
  ladder: { scenario: 'two-phones', atS: 12, clicks: ['hosts-tab', 'call'] },
  message: { scenario: 'two-phones', atS: 12, clicks: ['hosts-tab', 'call', 'rung'] },
  forking: { scenario: 'forking', atS: 6, clicks: ['phone-p2'] },
  storm: { scenario: 'storm', atS: 62, clicks: ['node-A'] },
  hundred: { scenario: 'hundred-phones', atS: 30, clicks: [] },
  open: { scenario: 'two-switches', atS: 30, clicks: ['open'] },
  phone: { scenario: 'forking', atS: 6, clicks: ['phone-p2', 'take'] },
  rules: { scenario: 'two-switches', atS: 30, clicks: ['rules'] },
};

const { values } = parseArgs({ options: { all: { type: 'string' } } });
const { url, close } = await serveLab();
const browser = await launchChromium();

async function show(name: string, size: Size, scheme: Scheme): Promise<Page> {
  const { scenario, atS, clicks } = STATES[name]!;
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme: scheme });
  const page = await context.newPage();
  await page.goto(`${url}#scenario=${scenario}`);
  await page.waitForFunction(() => window.strowgerLab !== undefined);
  await page.evaluate((us) => window.strowgerLab!.seek(us), atS * 1_000_000);
  await page.waitForFunction((us) => window.strowgerLab!.view.nowUs === us, atS * 1_000_000);
  for (const id of clicks) await page.getByTestId(id).first().click();
  await page.waitForTimeout(300);
  return page;
}

async function picture(name: string, size: Size, scheme: Scheme, file: string): Promise<void> {
  const page = await show(name, size, scheme);
  await page.screenshot({ path: file });
  await page.context().close();
  console.log(file);
}

if (values.all === undefined) {
  await picture('storm', 'desktop', 'dark', join(ROOT, 'docs/views/lab-storm.png'));
  await picture('ladder', 'desktop', 'light', join(ROOT, 'docs/views/lab-ladder.png'));
} else {
  mkdirSync(values.all, { recursive: true });
  for (const name of Object.keys(STATES)) {
    for (const size of Object.keys(SIZES) as Size[]) {
      for (const scheme of ['light', 'dark'] as const)
        await picture(name, size, scheme, join(values.all, `${name}-${size}-${scheme}.png`));
    }
  }
}
await browser.close();
close();
