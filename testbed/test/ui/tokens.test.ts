/** Contrast of the design tokens, by WCAG 2.2 (1.4.3, 1.4.11). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const CSS = readFileSync(join(import.meta.dirname, '../../ui/tokens.css'), 'utf8');

/** A token in light and in dark. */
function token(name: string): [light: string, dark: string] {
  const value = new RegExp(`--${name}:\\s*([^;]+);`).exec(CSS)?.[1] ?? '';
  const pair = /light-dark\((#\w+),\s*(#\w+)\)/.exec(value);
  if (pair) return [pair[1]!, pair[2]!];
  if (/^#\w{6}$/.test(value)) return [value, value];
  throw new Error(`no colour: --${name}: ${value}`);
}

/** Relative luminance, 0..1. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const WHITE: [string, string] = ['#ffffff', '#ffffff'];
const GROUNDS = ['ground', 'surface', 'raised'];
const TEXTS: [text: string, grounds: string[]][] = [
  ['text', [...GROUNDS, 'pressed', 'accent-soft', 'bad-soft', 'warn-soft', 'good-soft']],
  ['text-soft', [...GROUNDS, 'accent-soft', 'bad-soft', 'warn-soft']],
  ['accent', ['surface', 'raised', 'accent-soft']],
  ['good', ['surface', 'good-soft']],
  ['warn', ['surface', 'warn-soft']],
  ['bad', ['surface', 'raised', 'bad-soft']],
  ['on-accent', ['accent']],
];

describe('text can be read', () => {
  for (const [text, grounds] of TEXTS) {
    test.each(grounds)(`${text} on %s`, (ground) => {
      for (const scheme of [0, 1] as const) {
        expect(contrast(token(text)[scheme], token(ground)[scheme])).toBeGreaterThanOrEqual(4.5);
      }
    });
  }

  test.each(['call', 'call-hover', 'end', 'end-hover'])('white on %s', (ground) => {
    expect(contrast(WHITE[0], token(ground)[0])).toBeGreaterThanOrEqual(4.5);
  });
});

test.each(['surface', 'ground'])('the edges of fields can be seen on %s', (ground) => {
  for (const scheme of [0, 1] as const) {
    expect(contrast(token('edge-strong')[scheme], token(ground)[scheme])).toBeGreaterThanOrEqual(3);
  }
});
