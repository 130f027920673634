import { describe, expect, test } from 'vitest';
import { LinkError, readLink, type SharedState, writeLink } from '../../lab/link.ts';
import { BUILT_IN } from '../../lab/scenarios.ts';

const STATE: SharedState = {
  source: { kind: 'scenario', scenario: BUILT_IN[0]!.make() },
  acts: [{ kind: 'call', call: { from: 'p1', to: '1002', holdMs: 1_000 }, atUs: 12_345_678 }],
  atUs: 23_456_789,
  speed: 0.5,
};

describe('a link', () => {
  test('holds a session', async () => {
    const link = await writeLink(STATE);
    expect(link).toMatch(/^#s=[\w-]+$/);
    expect(await readLink(link)).toEqual(STATE);
  });

  test('is short for scenarios of the page and for seeds', async () => {
    const link = await writeLink({ ...STATE, source: { kind: 'seed', seed: 77, minutes: 20 } });
    expect(link.length).toBeLessThan(300);
  });

  test('can be written by hand', async () => {
    expect((await readLink('#seed=42'))?.source).toEqual({ kind: 'seed', seed: 42, minutes: 20 });
    expect((await readLink('#scenario=storm'))?.source).toEqual({ kind: 'built-in', id: 'storm' });
  });

  test('may be missing', async () => {
    expect(await readLink('')).toBeNull();
    expect(await readLink('#other')).toBeNull();
  });

  test.each(['#s=', '#s=AAAA', '#s=%%%%', '#seed=x', '#seed=-1'])(
    'is refused when damaged: %s',
    async (link) => {
      await expect(readLink(link)).rejects.toThrow(LinkError);
    },
  );

  test('is refused when it was cut', async () => {
    const link = await writeLink(STATE);
    await expect(readLink(link.slice(0, -20))).rejects.toThrow(LinkError);
  });
});
