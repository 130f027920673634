/** The simulator runs in Chromium from the same files as in Node, and comes to the same trace. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REPOSITORY } from '../../switch/test/e2e/harness/repository.ts';
import { play } from '../../wasm-core/sim/play.ts';
import { drawScenario } from '../../wasm-core/sim/swarm.ts';
import { launchChromium } from './browser.ts';

const WASM = new Uint8Array(readFileSync(join(REPOSITORY, 'build/core.wasm')));
/** A hundred seeds, each with a minute of load: those of a swarm differ more by what is in them than by how long they go on. */
const SEEDS = Array.from({ length: 100 }, (_, i) => i + 1);
const MINUTES = 1;

const IMPORTS = {
  'pure-rand/generator/xoroshiro128plus': '/node_modules/pure-rand/lib/esm/generator/xoroshiro128plus.js',
  '@noble/hashes/': '/node_modules/@noble/hashes/',
};
const PAGE =
  `<!doctype html><title>simulator</title><script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>` +
  '<script type="module" src="/testbed/e2e/simulate-in-page.ts"></script>';

let server: Server;
let browser: Browser;
let page: Page;

/** The sources as JavaScript, the core, and a page without anything to see. */
function serve(): Server {
  return createServer((request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname;
    const answer = (type: string, body: string | Uint8Array): void => {
      response.writeHead(200, { 'content-type': type }).end(body);
    };
    const file = () => readFileSync(resolve(REPOSITORY, `.${path}`), 'utf8');
    if (path === '/') answer('text/html', PAGE);
    else if (path === '/core.wasm') answer('application/wasm', WASM);
    else if (/^\/(wasm-core|testbed)\/[\w/-]+\.ts$/.test(path))
      answer('text/javascript', stripTypeScriptTypes(file()));
    else if (/^\/node_modules\/(pure-rand|@noble\/hashes)\/[\w/.-]+\.js$/.test(path))
      answer('text/javascript', file());
    else response.writeHead(404).end();
  });
}

beforeAll(async () => {
  server = serve();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { waitUntil: 'load' });
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

test('a hundred seeds leave the same trace in Chromium and in Node', async () => {
  const module = new WebAssembly.Module(WASM);
  const here = SEEDS.map((seed) => play(drawScenario(seed, { minutes: MINUTES }), module));
  const there = [];
  for (const seed of SEEDS) {
    const { outcome } = await page.evaluate((what) => globalThis.playInPage(what), {
      seed,
      minutes: MINUTES,
    });
    there.push(outcome);
  }
  expect(there).toEqual(here);
  expect(new Set(there.map(({ hash }) => hash)).size).toBe(SEEDS.length);
});
