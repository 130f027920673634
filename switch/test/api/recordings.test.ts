import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordingWriter } from '../../../wasm-core/sim/recording/file.ts';
import { joined } from '../../../wasm-core/sim/recording/globals.ts';
import { startTestNode, type TestNode, TOKEN } from '../support/node.ts';

/** More than a socket's buffers hold, so that it is sent in many pieces. */
const LARGE_BYTES = 40 << 20;

let folder: string;
let test: TestNode;
let large: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strowger-api-recordings-'));
  const from = { node: 'test', startedAt: '2026-11-23T16:00:00.000Z', core: 'c0' };
  const writer = await RecordingWriter.create(from, new Uint8Array(32));
  large = joined([writer.front, randomBytes(LARGE_BYTES)]);
  writeFileSync(join(folder, 'large.strec'), large);
  writeFileSync(join(folder, 'recording.key'), 'ab'.repeat(32));
  test = await startTestNode({ more: `recording: {folder: ${JSON.stringify(folder)}}` });
});
afterAll(async () => {
  await test.node.close();
  rmSync(folder, { recursive: true });
});

function ask(path: string, method = 'GET', token = TOKEN): Promise<Response> {
  return fetch(`${test.web}/api/v1/recordings${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
}

describe('recordings in the API', () => {
  it('lists what is in the folder', async () => {
    expect(await (await ask('')).json()).toMatchObject({
      recording: false,
      recordings: [{ name: 'large.strec', bytes: large.length, node: 'test', ended: 'open' }],
    });
  });

  it('gives a large one in whole, and its size to who asks for that', async () => {
    const response = await ask('/large.strec');
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    const body = new Uint8Array(await response.arrayBuffer());
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    expect(hash(body)).toBe(hash(large));
    const head = await ask('/large.strec', 'HEAD');
    expect(head.headers.get('content-length')).toBe(String(large.length));
  });

  it('goes on serving when a client leaves in the midst of one', async () => {
    const abort = new AbortController();
    const response = await fetch(`${test.web}/api/v1/recordings/large.strec?token=${TOKEN}`, {
      signal: abort.signal,
    });
    await response.body!.getReader().read();
    abort.abort();
    expect((await ask('')).status).toBe(200);
  });

  it('gives nothing else of the folder, nor of others', async () => {
    for (const name of ['recording.key', '..%2Frecording.key', '..%2F..%2Fetc%2Fpasswd', 'none.strec'])
      expect((await ask(`/${name}`)).status, name).toBe(404);
  });

  it('needs a token', async () => {
    for (const method of ['GET', 'POST']) expect((await ask('', method, 'wrong')).status).toBe(401);
    expect((await ask('/large.strec', 'GET', 'wrong')).status).toBe(401);
  });

  it('writes none when nothing is recorded', async () => {
    const response = await ask('', 'POST');
    expect(response.status).toBe(409);
    expect(((await response.json()) as { detail: string }).detail).toContain('recording.mode');
  });
});
