import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as abi from '../../../wasm-core/assembly/abi.ts';
import { startTestNode, type TestNode } from '../support/node.ts';

let node: TestNode | null = null;
afterEach(async () => {
  await node?.node.close();
  node = null;
});

/** Makes a certificate; null where there is no openssl. */
function certificate(): { folder: string; certificate: string; key: string } | null {
  const folder = mkdtempSync(join(tmpdir(), 'strowger-tls-'));
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=localhost',
    '-keyout',
    key,
    '-out',
    certificate,
  ];
  try {
    execFileSync('openssl', args, { stdio: 'ignore' });
    return { folder, certificate, key };
  } catch {
    return null;
  }
}

describe('a node that drains', () => {
  it('refuses calls, says so, and waits for the last call', async () => {
    node = await startTestNode();
    node.realtime.counters[abi.C_CALLS_ACTIVE] = 2;
    let drained = false;
    const draining = node.node.drain().then(() => {
      drained = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(drained).toBe(false);
    const order = node.realtime.sent.find((frame) => frame.kind === abi.EV_DRAIN);
    expect(order?.arg(1)).toBe(1);
    const ready = await fetch(`${node.web}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }]);
    expect((await fetch(`${node.web}/healthz`)).status).toBe(200);
    node.realtime.counters[abi.C_CALLS_ACTIVE] = 0;
    await draining;
  });

  it('does not wait longer than calls.drainS', async () => {
    node = await startTestNode();
    node.realtime.counters[abi.C_CALLS_ACTIVE] = 1;
    const startedMs = performance.now();
    await node.node.drain();
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });
});

describe('metrics', () => {
  it('need no token when the configuration says so', async () => {
    node = await startTestNode({ http: 'metrics: open' });
    expect((await fetch(`${node.web}/metrics`)).status).toBe(200);
    expect((await fetch(`${node.web}/api/v1/nodes`)).status).toBe(401);
  });
});

describe('a node with a certificate', () => {
  const files = certificate();

  it.skipIf(files === null)('speaks HTTPS, and SIP over WSS', async () => {
    const { folder, certificate, key } = files!;
    node = await startTestNode({ http: `certificate: ${certificate}, key: ${key}` });
    rmSync(folder, { recursive: true });
    expect(node.info.webSocket).toMatch(/^wss:/);
    const status = await new Promise((resolve, reject) => {
      const outgoing = request(`${node!.web}/healthz`, { rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect(status).toBe(200);
  });
});
