import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../../control/config/nearest.ts';

describe('nearest', () => {
  it('counts edits, swaps as one', () => {
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('listen', 'lisetn')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('suggests only what is near', () => {
    const keys = ['listen', 'limits', 'realm'];
    expect(nearest('Listen', keys)).toBe('listen');
    expect(nearest('limit', keys)).toBe('limits');
    expect(nearest('password', keys)).toBeUndefined();
  });
});
