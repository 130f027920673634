/** A recording is replayed in Chromium by the same files as in Node, and comes to the same. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { stripTypeScriptTypes } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REPOSITORY } from '../../switch/test/e2e/harness/repository.ts';
import { effectsOf, KEY, replayed, Tape, traffic } from '../../switch/test/recording/tape.ts';
import { launchChromium } from './browser.ts';
import type { PageReplay } from './replay-in-page.ts';

const WASM = new Uint8Array(readFileSync(join(REPOSITORY, 'build/core.wasm')));

const PAGE =
  '<!doctype html><title>replay</title><script type="module" src="/testbed/e2e/replay-in-page.ts"></script>';

let server: Server;
let browser: Browser;
let page: Page;
/** What the page gets as /recording. */
let recording: Uint8Array;

/** The sources as JavaScript, the core, the recording, and a page without anything to see. */
function serve(): Server {
  return createServer((request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname;
    const answer = (type: string, body: string | Uint8Array): void => {
      response.writeHead(200, { 'content-type': type }).end(body);
    };
    if (path === '/') answer('text/html', PAGE);
    else if (path === '/core.wasm') answer('application/wasm', WASM);
    else if (path === '/recording') answer('application/octet-stream', recording);
    else if (/^\/(wasm-core|testbed)\/[\w/-]+\.ts$/.test(path))
      answer('text/javascript', stripTypeScriptTypes(readFileSync(resolve(REPOSITORY, `.${path}`), 'utf8')));
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

/** Replays what the server has, in the page. */
function replayInPage(): Promise<PageReplay> {
  return page.evaluate((key) => globalThis.replayInPage(key), [...KEY]);
}

describe('a recording in a page', () => {
  test('is replayed with all effects equal', async () => {
    const tape = await Tape.start(WASM);
    traffic(tape, 30);
    recording = await tape.file(tape.blocks());
    const result = await replayInPage();
    expect(result).toMatchObject({ steps: tape.intake.steps, difference: null, ended: 'operator' });
    expect(result.counters).toEqual([...tape.driver.core.counters]);
  });

  test('shows the same difference as in Node', async () => {
    const tape = await Tape.start(WASM);
    traffic(tape, 3);
    const blocks = tape.blocks();
    effectsOf(blocks, 4)[123]! ^= 1;
    recording = await tape.file(blocks);
    const { found } = await replayed(WASM, recording);
    expect(found?.difference).not.toBeFalsy();
    const { difference } = await replayInPage();
    expect(difference).toEqual({ step: found!.index, offset: found!.difference!.offset });
  });
});
