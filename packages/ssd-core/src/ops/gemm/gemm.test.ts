import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import { type HostTensor, maxRelativeError, permuted, randomSource, strided } from '../../testing/index.js';
import { gemmRef } from './gemm.js';

/** out[i][j] = sum over p of a[i][p] b[p][j], one entry at a time. */
function plainProduct(a: HostTensor, b: HostTensor): Float64Array {
  const [m, k] = a.shape as [number, number];
  const n = b.shape[1] as number;
  return Float64Array.from({ length: m * n }, (_, entry) => {
    let sum = 0;
    for (let p = 0; p < k; p++) {
      sum += a.data[Math.floor(entry / n) * k + p]! * b.data[p * n + (entry % n)]!;
    }
    return sum;
  });
}

const swap = (tensor: HostTensor) => permuted(tensor, [1, 0]);

describe('gemm', () => {
  const sizes = [
    [1, 1, 1],
    [3, 5, 2],
    [7, 64, 65],
    [65, 130, 3],
    [2, 3, 0],
    [0, 3, 4],
    [4, 0, 5],
  ];
  test.each(sizes)('NN, NT, TN, TT of M %i N %i K %i', (m, n, k) => {
    const random = randomSource(11);
    const a = random.normal([m!, k!]);
    const b = random.normal([k!, n!]);
    const wanted = plainProduct(a, b);
    const forms = [
      gemmRef({ a, b }),
      gemmRef({ a, b: swap(b), transposeB: true }),
      gemmRef({ a: swap(a), b, transposeA: true }),
      gemmRef({ a: swap(a), b: swap(b), transposeA: true, transposeB: true }),
    ];
    for (const form of forms) {
      expect(form.shape).toEqual([m, n]);
      expect(form.data).toEqual(wanted);
    }
  });

  test('batches: b of its own for each item, or one for all', () => {
    const random = randomSource(12);
    const a = random.normal([2, 3, 4, 5]);
    const own = random.normal([2, 3, 5, 6]);
    const shared = random.normal([5, 6]);
    const item = (t: HostTensor, i: number): HostTensor => {
      const shape = t.shape.slice(-2);
      const size = shape[0]! * shape[1]!;
      return { data: t.data.slice(i * size, (i + 1) * size), shape };
    };
    const outOwn = gemmRef({ a, b: own });
    const outShared = gemmRef({ a, b: shared });
    expect(outOwn.shape).toEqual([2, 3, 4, 6]);
    for (let i = 0; i < 6; i++) {
      expect(outOwn.data.slice(i * 24, (i + 1) * 24)).toEqual(plainProduct(item(a, i), item(own, i)));
      expect(outShared.data.slice(i * 24, (i + 1) * 24)).toEqual(plainProduct(item(a, i), shared));
    }
  });

  test('bias and SiLU; views read as their copies', () => {
    const random = randomSource(13);
    const a = random.normal([4, 3]);
    const b = random.normal([3, 5]);
    const bias = random.normal([5]);
    const silu = (v: number) => v / (1 + Math.exp(-v));
    const wanted = plainProduct(a, b).map((value, i) => silu(value + bias.data[i % 5]!));
    const out = gemmRef({ a, b, bias, activation: 'silu' });
    expect(maxRelativeError(out, wanted)).toBeLessThan(1e-15);
    const views = { a: strided(a), b: strided(b), bias: strided(bias) };
    expect(gemmRef({ ...views, activation: 'silu' }).data).toEqual(out.data);
    // K = 0: the product is 0, the bias stays.
    const none = gemmRef({ a: random.normal([2, 0]), b: random.normal([0, 5]), bias });
    expect([...none.data]).toEqual([...bias.data, ...bias.data]);
  });

  test('names what does not fit', () => {
    const random = randomSource(14);
    const a = random.normal([4, 3]);
    expect(() => gemmRef({ a, b: random.normal([5, 2]) })).toThrow(
      'gemm: b: expected (..., K, N) = (3, 2) to go with a (4, 3), got (5, 2)',
    );
    expect(() => gemmRef({ a, b: random.normal([2, 4]), transposeB: true })).toThrow(
      /\(\.\.\., N, K\) = \(2, 3\)/,
    );
    expect(() => gemmRef({ a: random.normal([2, 4, 3]), b: random.normal([3, 3, 2]) })).toThrow(ShapeError);
    expect(() => gemmRef({ a, b: random.normal([3]) })).toThrow('two axes or more');
    expect(() => gemmRef({ a, b: random.normal([3, 2]), bias: random.normal([3]) })).toThrow(
      'gemm: bias: expected (N) = (2), got (3)',
    );
    const b = random.normal([3, 2]);
    expect(() => gemmRef({ a, b, bias: random.normal([2]), accumulate: true })).toThrow(ArgumentError);
    expect(() => gemmRef({ a, b, activation: 'relu' as 'silu' })).toThrow(
      /activation: expected 'none' or 'silu'/,
    );
  });
});
