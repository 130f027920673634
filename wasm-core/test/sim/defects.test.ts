import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFECTS } from '../../sim/defects/defects.ts';

const ASSEMBLY = join(import.meta.dirname, '../../assembly');

describe('planted defects', () => {
  it.each(DEFECTS)('$name has its place in the sources', ({ file, find, replace }) => {
    const source = readFileSync(join(ASSEMBLY, file), 'utf8');
    expect(source.split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it('have names of their own', () => {
    expect(new Set(DEFECTS.map(({ name }) => name)).size).toBe(DEFECTS.length);
  });
});
