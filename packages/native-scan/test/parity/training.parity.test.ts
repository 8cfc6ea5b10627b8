import { createReferenceKernels } from '@statespace/ssd-core';
import { maxRelativeError, randomSource } from '@statespace/ssd-core/testing';
import { expect, test } from 'vitest';
import { cpu, describeNative, insideWider, nanOutput, narrow } from '../support.js';
import { expectParity } from './dense.js';

const generators = [
  { seed: 0, stream: 0, offset: 0 },
  { seed: 1, stream: 2, offset: 3 },
  { seed: 2 ** 53 - 1, stream: 2 ** 40 + 5, offset: 2 ** 32 - 2 },
];

describeNative('random numbers', () => {
  test.each(generators)('uniforms are bit-equal to the reference: %j', (generator) => {
    for (const count of [0, 1, 3, 4, 5, 1001, 70_001]) {
      expectParity(
        'random',
        () => {
          const out = nanOutput([count]);
          return { args: { distribution: 'uniform', generator, out }, outputs: { out } };
        },
        0,
      );
    }
  });

  test.each(generators)('normals agree to rounding: %j', (generator) => {
    for (const count of [0, 1, 3, 4, 5, 1001]) {
      expectParity(
        'random',
        () => {
          const out = nanOutput([count]);
          return { args: { distribution: 'normal', generator, out }, outputs: { out } };
        },
        1e-6,
      );
    }
  });

  test.each([0, 0.1, 0.5, 0.999])('dropout with p = %d drops the same entries', (p) => {
    const x = narrow(randomSource(31).normal([37, 29]));
    for (const generator of generators) {
      for (const view of [x, insideWider(x)]) {
        expectParity(
          'dropout',
          () => {
            const out = nanOutput([37, 29]);
            return { args: { x: view, p, generator, out }, outputs: { out } };
          },
          1e-7,
        );
      }
    }
  });
});

describeNative('gradNorm', () => {
  test.each([0, 1, 1e3, Number.POSITIVE_INFINITY])('clipped at %d', (maxNorm) => {
    const source = randomSource(32);
    const grads = [[3, 5], [1], [0], [1000], [7, 11, 13]].map((shape) => narrow(source.normal(shape)));
    expectParity(
      'gradNorm',
      () => {
        const outputs = { norm: nanOutput([1]), factor: nanOutput([1]) };
        return { args: { grads, maxNorm, ...outputs }, outputs };
      },
      1e-6,
    );
  });

  test('no gradients, and one that is not finite', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const norm = nanOutput([1]);
      const factor = nanOutput([1]);
      cpu().gradNorm({ grads: [{ data: Float32Array.of(1, value), shape: [2] }], maxNorm: 1, norm, factor });
      expect(norm.data[0]).toBe(value);
    }
    const norm = nanOutput([1]);
    const factor = nanOutput([1]);
    cpu().gradNorm({ grads: [], maxNorm: 1, norm, factor });
    expect([norm.data[0], factor.data[0]]).toEqual([0, 1]);
  });
});

describeNative('adamw', () => {
  const shapes = [[3, 5], [1], [0], [1000], [7, 11, 13]];

  const state = (seed: number) => {
    const source = randomSource(seed);
    return shapes.map((shape, index) => ({
      param: narrow(source.normal(shape)),
      grad: narrow(source.normal(shape)),
      m: narrow(source.normal(shape, 0.1)),
      v: narrow(source.uniform(shape, 0, 0.1)),
      lrScale: index === 1 ? 0.5 : 1,
      weightDecay: index % 2 === 0 ? 0.1 : 0,
    }));
  };

  test.each([undefined, 0.25])('one step, gradient scale %s', (scale) => {
    const gradScale = scale === undefined ? {} : { gradScale: { data: Float32Array.of(scale), shape: [1] } };
    expectParity(
      'adamw',
      () => {
        const slots = state(33);
        const outputs = Object.fromEntries(
          slots.flatMap(({ param, m, v }, i) => [
            [`param${i}`, param],
            [`m${i}`, m],
            [`v${i}`, v],
          ]),
        );
        const schedule = { data: Float32Array.of(1e-2, 0.1, 0.001), shape: [3] };
        return { args: { slots, beta1: 0.9, beta2: 0.999, eps: 1e-8, schedule, ...gradScale }, outputs };
      },
      1e-6,
    );
  });

  test('many slots at once', () => {
    const build = () =>
      Array.from({ length: 200 }, (_, i) => ({ ...state(i)[0]!, weightDecay: 0.01, lrScale: 1 }));
    const schedule = { data: Float32Array.of(1e-3, 0.5, 0.5), shape: [3] };
    const ours = build();
    const wanted = build();
    cpu().adamw({ slots: ours, beta1: 0.9, beta2: 0.99, eps: 1e-8, schedule });
    createReferenceKernels().adamw({ slots: wanted, beta1: 0.9, beta2: 0.99, eps: 1e-8, schedule });
    ours.forEach(({ param }, i) => {
      expect(maxRelativeError(param, wanted[i]!.param)).toBeLessThan(1e-6);
    });
  });

  test('slots that share memory are refused', () => {
    const [slot] = state(1);
    const schedule = { data: Float32Array.of(1e-3, 0.5, 0.5), shape: [3] };
    const args = { beta1: 0.9, beta2: 0.99, eps: 1e-8, schedule };
    expect(() => cpu().adamw({ slots: [slot!, slot!], ...args })).toThrow(/shares with another argument/);
    expect(() => cpu().adamw({ slots: [{ ...slot!, m: slot!.v }], ...args })).toThrow(/shares with another/);
  });
});
