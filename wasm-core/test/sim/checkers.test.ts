import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Checkers } from '../../sim/checkers/checkers.ts';
import { drawScenario } from '../../sim/swarm.ts';
import { Simulation } from '../../sim/simulation.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGES = join(ROOT, 'docs/checkers');
const CORE = new WebAssembly.Module(readFileSync(join(ROOT, 'build/core.wasm')));
/** Those that are not in checkers.ts. */
const ELSEWHERE = ['no-trap', 'progress', 'same-hash'];

describe('checkers', () => {
  it('have a page each, and no page is without its checker', () => {
    const simulation = new Simulation(drawScenario(1), CORE);
    const { names } = new Checkers(simulation, () => undefined);
    for (const name of [...names, ...ELSEWHERE])
      expect(existsSync(join(PAGES, `${name}.md`)), name).toBe(true);
    const pages = readdirSync(PAGES).map((file) => file.replace('.md', ''));
    expect(pages.filter((page) => page !== 'README' && ![...names, ...ELSEWHERE].includes(page))).toEqual([]);
  });
});
