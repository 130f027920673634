/** Serves build/lab (npm run build:lab) on a free port of this machine. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { REPOSITORY } from '../../switch/test/e2e/harness/repository.ts';

const FOLDER = join(REPOSITORY, 'build/lab');
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export async function serveLab(): Promise<{ url: string; close(): void }> {
  const web = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(FOLDER, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response
      .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
      .end(readFileSync(file));
  });
  await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(web.address() as AddressInfo).port}/`, close: () => web.close() };
}
