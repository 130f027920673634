import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestNode, type TestNode } from '../support/node.ts';
import { pagesFolder } from '../support/pages.ts';

let node: TestNode;
const folder = pagesFolder({
  'index.html': '<title>phone</title>',
  'console/index.html': '<title>console</title>',
  'assets/app-1a2b.js': 'void 0',
  'core.wasm': '\0asm',
});

/** A request whose path is sent as it is. */
function raw(
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(node.web);
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

beforeAll(async () => {
  node = await startTestNode({ pages: folder });
});
afterAll(async () => {
  await node.node.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('pages', () => {
  it('are served without a token, with type, policy and tag', async () => {
    const { status, headers, body } = await raw('/');
    expect([status, body]).toEqual([200, '<title>phone</title>']);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cache-control']).toBe('no-cache');
    expect((await raw('/', 'GET', { 'if-none-match': String(headers['etag']) })).status).toBe(304);
  });

  it.each([
    ['/assets/app-1a2b.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/core.wasm', 'application/wasm', 'no-cache'],
    ['/console', 'text/html; charset=utf-8', 'no-cache'],
    ['/console/calls/3.4', 'text/html; charset=utf-8', 'no-cache'],
  ])('%s', async (path, type, caching) => {
    const { status, headers } = await raw(path);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, type, caching]);
  });

  it('answer HEAD with the length only', async () => {
    const { status, headers, body } = await raw('/', 'HEAD');
    expect([status, headers['content-length'], body]).toEqual([200, '20', '']);
  });

  it.each([
    '/../package.json',
    '/..%2f..%2fpackage.json',
    '/%2e%2e/package.json',
    '//etc/passwd',
    '/assets/',
    '/index',
    '/nothing',
  ])('%s leads nowhere else', async (path) => {
    const { status, body } = await raw(path);
    expect(body).not.toContain('root:');
    expect(body).not.toContain('strowger"');
    expect([200, 404]).toContain(status);
    if (status === 200) expect(body).toBe('<title>phone</title>');
  });

  it('are read again when they are built again', async () => {
    writeFileSync(join(folder, 'new.txt'), 'new');
    mkdirSync(join(folder, 'touched'));
    expect((await raw('/new.txt')).body).toBe('new');
  });

  it('say what to run when they are not built', async () => {
    const bare = await startTestNode({ pages: join(folder, 'nowhere') });
    const response = await fetch(`${bare.web}/`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('npm run build') });
    await bare.node.close();
  });
});
