import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../../cli/client.ts';
import { duration, table } from '../../cli/table.ts';

const run = (name: string, pid = 1) => ({ name, pid, url: `http://127.0.0.1:${pid}/`, token: 'secret' });
let server: Server | null = null;
afterEach(() => server?.close());

/** A switch that answers everything with this; gives what it was asked. */
async function serve(status: number, body: unknown): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(status).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('which switch', () => {
  it('is the only one, the one that is named, or the one at a URL', () => {
    expect(Client.find({}, [run('a')]).name).toBe('a');
    expect(Client.find({ name: 'b' }, [run('a'), run('b')]).name).toBe('b');
    expect(Client.find({ url: 'http://127.0.0.1:8080' }, []).name).toBe('http://127.0.0.1:8080');
  });

  it('is asked for when it is not clear', () => {
    expect(() => Client.find({}, [])).toThrow('no switch of this user runs on this machine');
    expect(() => Client.find({ name: 'c' }, [run('a'), run('b')])).toThrow(
      'no switch is called c; there is: a, b',
    );
    expect(() => Client.find({}, [run('a', 1), run('b', 2)])).toThrow('say which with --name or --url');
    expect(() => Client.find({ url: 'localhost 1' }, [])).toThrow('no URL');
  });
});

describe('what the switch answers', () => {
  it('is asked for with the token', async () => {
    const { url, asked } = await serve(200, { nodes: [] });
    await Client.find({ url, token: 'mine' }).ask('GET', 'nodes');
    expect(asked).toEqual(['GET /api/v1/nodes Bearer mine']);
  });

  it('comes whole, page by page', async () => {
    const { url, asked } = await serve(200, { calls: [1], next: null });
    expect(await Client.find({ url, token: 't' }).all('calls', 'calls', 'x y')).toEqual([1]);
    expect(asked[0]).toBe('GET /api/v1/calls?limit=500&search=x+y Bearer t');
  });

  it('is told as it is when it refuses', async () => {
    const { url } = await serve(409, { detail: 'There is no second node.' });
    await expect(Client.find({ url }).ask('POST', 'switchover')).rejects.toMatchObject({
      message: 'There is no second node.',
      exitCode: 1,
    });
    server?.close();
    const other = await serve(401, {});
    await expect(Client.find({ url: other.url }).ask('GET', 'nodes')).rejects.toThrow('--token');
  });

  it('is nothing when it does not run', async () => {
    const { url } = await serve(200, {});
    await new Promise((resolve) => server?.close(resolve));
    await expect(Client.find({ url }).ask('GET', 'nodes')).rejects.toMatchObject({ exitCode: 3 });
  });
});

describe('the text', () => {
  it('has columns', () => {
    expect(
      table([
        ['A', 'B'],
        ['long', 'x'],
        ['y', ''],
      ]),
    ).toBe('A     B\nlong  x\ny');
  });

  it.each([
    [3_400, '3.4 s'],
    [59_000, '59 s'],
    [61_000, '1 min 1 s'],
    [7_500_000, '2 h 5 min'],
    [86_400_000 * 3, '3 d'],
  ])('tells %i ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
