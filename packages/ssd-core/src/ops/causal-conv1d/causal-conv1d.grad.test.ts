import { describe, expect, test } from 'vitest';
import {
  dot,
  gradientErrors,
  type RandomConvOptions,
  randomConvInputs,
  randomSource,
  worst,
} from '../../testing/index.js';
import { causalConv1dRef } from './causal-conv1d.js';
import { causalConv1dBackwardRef } from './causal-conv1d-backward.js';

/** Fourth-order differences of step 2e-3: what a smooth function allows, far below a wrong rule. */
const tolerance = 1e-9;

const variants: (RandomConvOptions & { name: string; keys: number })[] = [
  { name: 'everything', seqLen: 6, keys: 4 },
  { name: 'bare', seqLen: 6, activation: 'none', bare: true, keys: 3 },
  { name: 'width 2', seqLen: 5, width: 2, keys: 4 },
  { name: 'width 6 over a shorter sequence', seqLen: 3, width: 6, keys: 4 },
  { name: 'packed', batch: 1, seqLen: 9, cuSeqlens: [0, 1, 1, 3, 9], keys: 4 },
  { name: 'no steps', seqLen: 0, keys: 4 },
];

describe('causalConv1dBackwardRef against finite differences', () => {
  test.each(variants)('$name', ({ keys, ...options }) => {
    const given = randomConvInputs(options);
    const source = randomSource(11);
    const gradOut = source.normal(given.x.shape);
    const gradFinalStates = source.normal(causalConv1dRef(given).finalStates.shape);
    const zeroStates = { ...gradFinalStates, data: new Float64Array(gradFinalStates.data.length) };
    const inputs = { ...given, initialStates: given.initialStates ?? zeroStates };
    const loss = () => {
      const { out, finalStates } = causalConv1dRef(inputs);
      return dot(out.data, gradOut.data) + dot(finalStates.data, gradFinalStates.data);
    };
    const gradients = causalConv1dBackwardRef({ ...given, gradOut, gradFinalStates });
    const errors = gradientErrors(loss, inputs, { ...gradients });
    expect(Object.keys(errors)).toHaveLength(keys);
    expect(worst(errors)).toBeLessThan(tolerance);
  });
});
