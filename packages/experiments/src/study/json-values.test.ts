import { describe, expect, test } from 'vitest';
import { canonicalJson, firstDifference } from './canonical-json.js';
import { nonFinitePlaces, parseLooseJson } from './json-numbers.js';

describe('canonicalJson', () => {
  test('does not depend on the order of keys, and does on that of lists', () => {
    expect(canonicalJson({ b: [1, { d: 2, c: 3 }], a: null })).toBe('{"a":null,"b":[1,{"c":3,"d":2}]}');
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });
});

describe('firstDifference', () => {
  test.each([
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, 'a[1].b'],
    [{ a: 1 }, { a: 1, b: 0 }, 'b'],
    [[1], [1, 2], '[1]'],
    [{ a: [] }, { a: {} }, 'a'],
    [1, '1', ''],
    [{ b: 1, a: 2 }, { a: 2, b: 1 }, undefined],
  ])('%j and %j differ at %j', (left, right, path) => {
    expect(firstDifference(left, right)).toBe(path);
  });
});

describe('numbers that JSON does not have', () => {
  test('are read and found where they stand', () => {
    const value = parseLooseJson(
      '{"a": NaN, "b": [1, -Infinity], "c": {"d": null}, "e": "NaN \\" Infinity"}',
    );
    expect(nonFinitePlaces(value)).toEqual([
      { path: 'a', found: 'NaN' },
      { path: 'b[1]', found: '-Infinity' },
      { path: 'c.d', found: 'null' },
    ]);
    expect(value).toMatchObject({ e: 'NaN " Infinity' });
  });

  test('other text is still no JSON', () => {
    expect(() => parseLooseJson('{"a": nan}')).toThrow(SyntaxError);
    expect(nonFinitePlaces({ a: [1, 'x', true, { b: 1e308 }] })).toEqual([]);
    expect(nonFinitePlaces([Number.POSITIVE_INFINITY])).toHaveLength(1);
  });
});
