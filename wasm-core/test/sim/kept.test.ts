/** Scenarios in which a defect once showed: none does now. Each was shrunk from a seed with the defect planted (sim:defects --keep). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { play } from '../../sim/play.ts';
import { readScenario } from '../../sim/scenario-file.ts';

const FOLDER = join(import.meta.dirname, '../../sim/scenarios');
const CORE = new WebAssembly.Module(readFileSync(join(import.meta.dirname, '../../../build/core.wasm')));

describe('kept scenarios', () => {
  it.each(readdirSync(FOLDER))('%s', (file) => {
    const scenario = readScenario(readFileSync(join(FOLDER, file), 'utf8'));
    expect(play(scenario, CORE).failure).toBeUndefined();
  });
});
