import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from './suggest.js';

describe('nearest', () => {
  test('counts changes, swaps and missing letters', () => {
    expect(editDistance('dModle', 'dModel')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
  test('has nothing to say about words that are far from all', () => {
    expect(nearest('colour', ['seed', 'device'])).toBeUndefined();
    expect(nearest('layers', ['numLayers', 'dModel'])).toBe('numLayers');
  });
});
