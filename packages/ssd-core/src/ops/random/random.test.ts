import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../errors.js';
import { createReferenceKernels } from '../../reference/index.js';
import { hostTensor, nanTensor, randomSource } from '../../testing/index.js';
import { philoxNormal, philoxUniform } from './philox.js';
import { dropoutRef, randomRef } from './random.js';

const generator = { seed: 9, stream: 1, offset: 100 };

describe('random', () => {
  test('fills any shape in row-major order, rounded to float32', () => {
    const out = nanTensor([3, 5], 'f32');
    createReferenceKernels().random({ distribution: 'normal', generator, out });
    expect(out.data).toEqual(Float32Array.from(philoxNormal(generator, 15)));
    expect(randomRef({ distribution: 'uniform', generator, shape: [2, 3] }).data).toEqual(
      philoxUniform(generator, 6),
    );
  });

  test.each([{ seed: -1 }, { stream: 0.5 }, { offset: 2 ** 53 }, { seed: Number.NaN }])(
    'refuses position %j',
    (change) => {
      const [field] = Object.keys(change);
      const call = () =>
        randomRef({ distribution: 'uniform', generator: { ...generator, ...change }, shape: [1] });
      expect(call).toThrow(ArgumentError);
      expect(call).toThrow(`random: generator.${field}: expected an integer in [0, 2^53)`);
    },
  );

  test('refuses an unknown distribution', () => {
    const args = { distribution: 'cauchy' as 'normal', generator, out: nanTensor([1]) };
    expect(() => createReferenceKernels().random(args)).toThrow(
      /distribution: expected 'uniform' or 'normal'/,
    );
  });
});

describe('dropout', () => {
  test('keeps x / (1 - p) exactly where the uniform number is at least p', () => {
    const x = randomSource(2).normal([40, 5]);
    const uniform = philoxUniform(generator, 200);
    const out = dropoutRef({ x, p: 0.3, generator });
    out.data.forEach((value, i) => {
      expect(value).toBe(uniform[i]! >= 0.3 ? x.data[i]! / 0.7 : 0);
    });
    expect(out.data.filter((value) => value === 0).length).toBeGreaterThan(30);
  });

  test('p = 0 changes nothing; p = 1 is refused', () => {
    const x = hostTensor([1, 2, 3], [3]);
    expect(dropoutRef({ x, p: 0, generator }).data).toEqual(x.data);
    expect(() => dropoutRef({ x, p: 1, generator })).toThrow(
      'dropout: p: expected a probability in [0, 1), got 1',
    );
  });
});
