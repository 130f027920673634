/**
 * Pages: the built files of the testbed and the console. All are read into memory, and only what was read can be
 * served, so that no path reaches anything else.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import type { Reply, Request } from './exchange.ts';
import { Problem } from './problem.ts';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/** Largest file and most files that are served. */
const FILE_BYTES_MAX = 16 << 20;
const FILES_MAX = 2000;

/** Only our own code runs; WebAssembly may be compiled; connections go to SIP servers; nobody may frame us. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "connect-src 'self' ws: wss:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface Page {
  body: Uint8Array;
  type: string;
  etag: string;
  /** Its name contains a hash of its content (the bundler's /assets/): it never changes. */
  immutable: boolean;
}

/** Reads every file below `folder`; empty when there is none. */
function readPages(folder: string): Map<string, Page> {
  const pages = new Map<string, Page>();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isFile()).slice(0, FILES_MAX)) {
    const file = join(entry.parentPath, entry.name);
    if (statSync(file).size > FILE_BYTES_MAX) continue;
    const body = readFileSync(file);
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    const type = TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream';
    pages.set(path, { body, type, etag, immutable: path.startsWith('/assets/') });
  }
  return pages;
}

/** The files of one folder. */
export class Pages {
  readonly #folder: string;
  #pages = new Map<string, Page>();
  /** Modification time of the folder when it was read, ms. */
  #readMs = -1;

  /** @param folder of the built files; it may appear or be replaced while the switch runs. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws Problem when there is no such page. */
  handle(request: Request): Reply {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new Problem(405, 'Pages can only be read.');
    this.#refresh();
    const page = this.#find(request.path);
    if (page === undefined) throw new Problem(404, this.#missing());
    const headers: Record<string, string> = {
      etag: page.etag,
      'cache-control': page.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    if (request.ifNoneMatch === page.etag) return { status: 304, headers };
    if (page.type.startsWith('text/html')) headers['content-security-policy'] = CONTENT_SECURITY_POLICY;
    return { status: 200, type: page.type, headers, body: page.body };
  }

  /** `/console` is `/console.html` or `/console/index.html`, and the same below it, where the page does its own routing. */
  #find(path: string): Page | undefined {
    const bare = path.endsWith('/') ? path.slice(0, -1) : path;
    const names = path === '/' ? ['/index.html'] : [path, `${bare}.html`, `${bare}/index.html`];
    if (bare.startsWith('/console/')) names.push('/console/index.html', '/console.html');
    for (const name of names) {
      const page = this.#pages.get(name);
      if (page !== undefined) return page;
    }
    return undefined;
  }

  /** Reads the files again when the folder was replaced by a new build. */
  #refresh(): void {
    const info = statSync(this.#folder, { throwIfNoEntry: false });
    const changedMs = info?.mtimeMs ?? -1;
    if (changedMs === this.#readMs) return;
    this.#readMs = changedMs;
    this.#pages = info?.isDirectory() ? readPages(this.#folder) : new Map();
  }

  #missing(): string {
    if (this.#pages.size > 0) return 'There is no such page.';
    return 'The pages are not built. Run: npm run build';
  }
}
