/** Small tensors of tests: float64 on the reference device, reproducible. */
import { expect } from 'vitest';
import { type GradcheckOptions, gradcheck } from '../autograd/gradcheck.js';
import { tensor } from '../create.js';
import { randn } from '../random/draw.js';
import { Generator } from '../random/generator.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** Draws leaves that require gradients, and constants, from one seed. */
export function draws(seed: number) {
  const generator = new Generator(seed);
  const options = { generator, device: 'reference', dtype: 'f64' } as const;
  return {
    generator,
    leaf: (...shape: number[]): Tensor => randn(shape, { ...options, requiresGrad: true }),
    /** In (0.5, 1.5), for functions that need positive numbers. */
    positive: (...shape: number[]): Tensor => {
      const leaf = tensor(
        generator.uniform(shape.reduce((a, b) => a * b, 1)).map((u) => u + 0.5),
        {
          shape,
          device: 'reference',
        },
      );
      leaf.requiresGrad = true;
      return leaf;
    },
    constant: (...shape: number[]): Tensor => randn(shape, options),
  };
}

/** Indices on the reference device. */
export function ids(values: readonly number[], shape: Shape = [values.length]): Tensor {
  return tensor(Int32Array.from(values), { shape, device: 'reference' });
}

/** Fails with the worst entry when the gradients of `fn` are not its derivatives. */
export function expectGradients(
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options?: GradcheckOptions,
): void {
  const result = gradcheck(fn, inputs, { tolerance: 2e-7, eps: 1e-5, ...options });
  expect(result, JSON.stringify(result.worst)).toMatchObject({ passed: true });
}
