import { describe, expect, test } from 'vitest';
import { DTypeError, ShapeError } from '../../errors.js';
import { hostTensor, maxRelativeError, nnCase, randomSource, toIndexTensor } from '../../testing/index.js';
import { embeddingBackwardRef, embeddingRef } from './embedding.js';

describe('embedding', () => {
  test('golden embedding-repeated', () => {
    const { golden, inputs, outputs } = nnCase('embedding-repeated');
    const ids = toIndexTensor(golden.inputs.tokens!.data);
    const out = embeddingRef({ weight: inputs.weight!, ids });
    expect(maxRelativeError(out, outputs.y!)).toBe(0);
    const gradOut = hostTensor(inputs.grad_y!.data, [14, 3]);
    const gradWeight = hostTensor(new Float64Array(18), [6, 3]);
    expect(
      maxRelativeError(embeddingBackwardRef({ ids, gradOut, gradWeight }), outputs.grad_weight!),
    ).toBeLessThan(1e-12);
  });

  test('backward adds to what is there', () => {
    const gradWeight = hostTensor([1, 2, 3, 4], [2, 2]);
    const gradOut = hostTensor([10, 20, 30, 40], [2, 2]);
    const sum = embeddingBackwardRef({ ids: toIndexTensor([1, 1]), gradOut, gradWeight });
    expect([...sum.data]).toEqual([1, 2, 43, 64]);
  });

  test('backward is the transpose of forward: <out, gradOut> = <weight, gradWeight>', () => {
    const random = randomSource(8);
    const weight = random.normal([5, 4]);
    const ids = toIndexTensor([4, 0, 4, 2, 1, 1, 4]);
    const gradOut = random.normal([7, 4]);
    const gradWeight = embeddingBackwardRef({
      ids,
      gradOut,
      gradWeight: hostTensor(new Float64Array(20), [5, 4]),
    });
    const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    expect(inner(embeddingRef({ weight, ids }).data, gradOut.data)).toBeCloseTo(
      inner(weight.data, gradWeight.data),
      12,
    );
  });

  test('names what does not fit', () => {
    const weight = randomSource(9).normal([3, 2]);
    expect(() => embeddingRef({ weight, ids: toIndexTensor([0, 3]) })).toThrow(
      'embedding: ids[1]: expected an index in [0, 3), got 3',
    );
    expect(() => embeddingRef({ weight, ids: toIndexTensor([-1]) })).toThrow(/ids\[0\]/);
    expect(() => embeddingRef({ weight, ids: hostTensor([0], [1]) })).toThrow(DTypeError);
    expect(() => embeddingRef({ weight, ids: { data: new Int32Array(4), shape: [2, 2] } })).toThrow(
      ShapeError,
    );
    expect(embeddingRef({ weight, ids: toIndexTensor([]) }).shape).toEqual([0, 2]);
  });
});
