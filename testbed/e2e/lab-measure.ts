/**
 * Measures the lab page of build/lab (npm run build:lab) in Chromium: `node testbed/e2e/lab-measure.ts`.
 *   --runs N         busy scenario (1 node, 100 phones, a call a second, 10 minutes), not drawn; 5 by default. Virtual time is
 *                    that of the load, real time includes letting all timers run out afterwards.
 *   --seeds A-B      plays these seeds here and in the page, and compares what comes of them
 *   --minutes M      of load of a seed, 1 by default
 */
import { loadavg } from 'node:os';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { REPOSITORY } from '../../switch/test/e2e/harness/repository.ts';
import { busyScenario } from '../../wasm-core/sim/busy.ts';
import { play } from '../../wasm-core/sim/play.ts';
import { writeScenario } from '../../wasm-core/sim/scenario-file.ts';
import { drawScenario } from '../../wasm-core/sim/swarm.ts';
import type {} from '../lab/hook.ts';
import { launchChromium } from './browser.ts';
import { serveLab } from './lab-folder.ts';

const MINUTES = 10;

const load = () => loadavg()[0]!.toFixed(1);

async function measureSpeed(page: Page, runs: number): Promise<void> {
  const json = writeScenario(busyScenario(1, MINUTES));
  for (let run = 1; run <= runs; run++) {
    const { realMs, hash } = await page.evaluate((text) => window.strowgerLab!.runScenario(text), json);
    const ratio = Math.round((MINUTES * 60_000) / realMs);
    console.log(
      `run ${run}: ${ratio} times real time (${Math.round(realMs)} ms), load ${load()}, hash ${hash}`,
    );
  }
}

async function compareSeeds(page: Page, from: number, to: number, minutes: number): Promise<void> {
  const core = new WebAssembly.Module(readFileSync(join(REPOSITORY, 'build/core.wasm')));
  const different: number[] = [];
  const hashes = new Set<string>();
  for (let seed = from; seed <= to; seed++) {
    const here = play(drawScenario(seed, { minutes }), core);
    const there = await page.evaluate(([nth, time]) => window.strowgerLab!.runSeed(nth, { minutes: time }), [
      seed,
      minutes,
    ] as const);
    const { realMs: _, ...outcome } = there;
    if (!isDeepStrictEqual(outcome, here)) different.push(seed);
    hashes.add(here.hash);
  }
  const equal = to - from + 1 - different.length;
  console.log(
    `seeds ${from} to ${to}, ${minutes} min of load: ${equal} equal, ${hashes.size} different hashes, load ${load()}`,
  );
  if (different.length === 0) return;
  console.log(`not equal: ${different.join(' ')}`);
  process.exitCode = 1;
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seeds: { type: 'string' },
    minutes: { type: 'string', default: '1' },
  },
});
const lab = await serveLab();
const browser = await launchChromium();
const page = await browser.newPage();
await page.goto(lab.url);
await page.waitForFunction(() => window.strowgerLab !== undefined);
console.log(`${browser.version()}, core ${await page.evaluate(() => window.strowgerLab!.coreSha256)}`);
if (values.seeds === undefined) await measureSpeed(page, Number(values.runs));
else {
  const [from, to] = values.seeds.split('-').map(Number) as [number, number];
  await compareSeeds(page, from, to ?? from, Number(values.minutes));
}
await browser.close();
lab.close();
