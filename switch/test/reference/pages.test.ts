import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { referencePages } from '../../reference/pages.ts';

describe('reference pages', () => {
  it.each(referencePages.map((page) => [basename(page.file), page] as const))(
    '%s is current (else run: node switch/reference/write.ts)',
    (_, page) => {
      expect(readFileSync(page.file, 'utf8')).toBe(page.text());
    },
  );
});
