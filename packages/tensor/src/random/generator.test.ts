import { describe, expect, test } from 'vitest';
import { full, tensor } from '../create.js';
import { dropout } from '../ops/dropout.js';
import { kaimingUniform, randn, uniform } from './draw.js';
import { Generator } from './generator.js';

const device = 'reference';
const mean = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0) / x.length;

describe('Generator', () => {
  test('goes on from a saved state, also through JSON', () => {
    const generator = new Generator(42, 7);
    generator.normal(5);
    const state = JSON.parse(JSON.stringify(generator.state()));
    expect(state).toEqual({ seed: 42, stream: 7, offset: 2 });
    const next = generator.uniform(9);
    expect(Generator.fromState(state).uniform(9)).toEqual(next);
    generator.setState(state);
    expect(generator.uniform(9)).toEqual(next);
  });
  test('gives other numbers for another seed, stream or offset', () => {
    const first = [
      new Generator(1),
      new Generator(2),
      new Generator(1, 1),
      new Generator(1, 0, 1),
      new Generator(1).fork(5),
    ];
    expect(new Set(first.map((generator) => generator.uniform(1)[0])).size).toBe(5);
  });
  test('draws uniform and normal numbers with their moments', () => {
    const u = new Generator(3).uniform(20_000);
    expect(Math.min(...u)).toBeGreaterThan(0);
    expect(Math.max(...u)).toBeLessThan(1);
    expect(mean(u)).toBeCloseTo(0.5, 2);
    const z = new Generator(4).normal(20_000);
    expect(mean(z)).toBeCloseTo(0, 1);
    expect(mean(z.map((v) => v * v))).toBeCloseTo(1, 1);
  });
  test('draws whole numbers evenly, and permutations of all', () => {
    const generator = new Generator(5);
    const counts = new Array<number>(6).fill(0);
    for (const value of generator.integers(12_000, 6)) counts[value] = (counts[value] as number) + 1;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
    expect([...generator.integers(3, 1)]).toEqual([0, 0, 0]);
    const order = generator.permutation(100);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(generator.permutation(100)).not.toEqual(order);
    const firsts = new Array<number>(3).fill(0);
    for (let i = 0; i < 3000; i++) {
      const at = generator.permutation(3)[0] as number;
      firsts[at] = (firsts[at] as number) + 1;
    }
    for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
  test('refuses seeds that it could not keep exactly', () => {
    for (const seed of [-1, 1.5, Number.NaN, 2 ** 53]) expect(() => new Generator(seed)).toThrow(/seed/);
    expect(() => new Generator(1).integers(1, 0)).toThrow(/below/);
  });
});

describe('draws', () => {
  test('are rounded once from float64, so that f32 and f64 agree', () => {
    const wide = randn([50], { generator: new Generator(6), dtype: 'f64', device }).toArray();
    const narrow = randn([50], { generator: new Generator(6), device }).toArray();
    expect([...narrow]).toEqual(Array.from(wide, Math.fround));
  });
  test('scale and bounds', () => {
    const u = uniform([1000], { generator: new Generator(7), low: -2, high: -1, device }).toArray();
    expect(Math.min(...u)).toBeGreaterThan(-2);
    expect(Math.max(...u)).toBeLessThan(-1);
    const z = randn([4000], { generator: new Generator(8), mean: 5, std: 0.1, device }).toArray();
    expect(mean(z)).toBeCloseTo(5, 2);
    const w = kaimingUniform([8, 4, 6], { generator: new Generator(9), a: Math.sqrt(5), device }).toArray();
    expect(Math.max(...w)).toBeLessThanOrEqual(1 / Math.sqrt(24));
    expect(Math.max(...w)).toBeGreaterThan(0.9 / Math.sqrt(24));
    expect(() => kaimingUniform([8], { generator: new Generator(9), device })).toThrow(/\(out, in/);
  });
});

describe('dropout', () => {
  test('keeps the mean, and is off outside of training', () => {
    const x = full([4000], 1, { device });
    const y = dropout(x, 0.25, { generator: new Generator(1) }).toArray();
    expect(new Set(y)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    expect(mean(y)).toBeCloseTo(1, 1);
    expect(dropout(x, 0.25, { generator: new Generator(1), training: false })).toBe(x);
    expect(() => dropout(x, 1, { generator: new Generator(1) })).toThrow(/\[0, 1\)/);
  });
  test('advances the generator by one number per element', () => {
    const generator = new Generator(1);
    dropout(tensor([1, 2, 3, 4, 5], { device }), 0.5, { generator });
    expect(generator.offset).toBe(2);
  });
});
