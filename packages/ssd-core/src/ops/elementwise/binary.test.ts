import { describe, expect, test } from 'vitest';
import { ArgumentError, DTypeError, ShapeError } from '../../errors.js';
import type { BinaryOp } from '../../kernels/dense-args.js';
import { hostTensor, maxRelativeError, nnCase } from '../../testing/index.js';
import { reduceRef } from '../reduce/reduce.js';
import { unaryRef } from '../unary/unary.js';
import { binaryRef } from './binary.js';
import { affineRef } from './copying.js';

const a = hostTensor([1, -2, 3, -4, 5, -6], [2, 3]);
const row = hostTensor([10, 0.5, -2], [3]);
const column = hostTensor([2, -1], [2, 1]);

describe('binary', () => {
  test.each<[BinaryOp, number[]]>([
    ['add', [11, -1.5, 1, 6, 5.5, -8]],
    ['sub', [-9, -2.5, 5, -14, 4.5, -4]],
    ['mul', [10, -1, -6, -40, 2.5, 12]],
    ['div', [0.1, -4, -1.5, -0.4, 10, 3]],
    ['maximum', [10, 0.5, 3, 10, 5, -2]],
    ['minimum', [1, -2, -2, -4, 0.5, -6]],
  ])('%s with a broadcast row', (op, wanted) => {
    const out = binaryRef({ op, a, b: row });
    expect([...out.data]).toEqual(wanted);
    expect(out.shape).toEqual([2, 3]);
  });

  test('both sides stretch: (2, 1) and (3) make (2, 3); a scalar fits anything', () => {
    expect([...binaryRef({ op: 'mul', a: column, b: row }).data]).toEqual([20, 1, -4, -10, -0.5, 2]);
    expect([...binaryRef({ op: 'add', a: hostTensor([1], []), b: row }).data]).toEqual([11, 1.5, -1]);
  });

  test('maximum and minimum hand NaN on', () => {
    const nan = hostTensor([Number.NaN], [1]);
    expect(binaryRef({ op: 'maximum', a: nan, b: row }).data).toEqual(new Float64Array(3).fill(Number.NaN));
    expect(binaryRef({ op: 'minimum', a: row, b: nan }).data).toEqual(new Float64Array(3).fill(Number.NaN));
  });

  test('nothing broadcasts to nothing', () => {
    expect(binaryRef({ op: 'add', a: hostTensor([], [0, 3]), b: row }).shape).toEqual([0, 3]);
  });

  test('names what does not fit', () => {
    expect(() => binaryRef({ op: 'add', a, b: hostTensor([1, 2], [2]) })).toThrow(
      'binary: b: expected a shape that broadcasts with (2, 3), got (2)',
    );
    expect(() => binaryRef({ op: 'add', a, b: hostTensor([1, 2], [2]) })).toThrow(ShapeError);
    expect(() => binaryRef({ op: 'pow' as BinaryOp, a, b: a })).toThrow(ArgumentError);
    expect(() => binaryRef({ op: 'mul', a: hostTensor([1, 2], [1, 2], 'c128'), b: a })).toThrow(DTypeError);
  });

  test('golden mse-mean, composed of ops', () => {
    const { inputs, outputs } = nnCase('mse-mean');
    const difference = binaryRef({ op: 'sub', a: inputs.x!, b: inputs.targets_x! });
    const loss = reduceRef({ op: 'mean', x: unaryRef({ op: 'square', x: difference }), axes: [0, 1] });
    expect(maxRelativeError(loss, outputs.y!)).toBeLessThan(1e-12);
    const grad = affineRef({ x: difference, alpha: 2 / difference.data.length, beta: 0 });
    expect(maxRelativeError(grad, outputs.grad_x!)).toBeLessThan(1e-12);
  });
});
