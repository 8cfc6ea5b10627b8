import { describe, expect, test } from 'vitest';
import {
  dot,
  gradientErrors,
  type RandomScanOptions,
  randomScanInputs,
  randomSource,
  worst,
} from '../../testing/index.js';
import { selectiveScanRef } from './selective-scan.js';
import { selectiveScanBackwardRef } from './selective-scan-backward.js';

/** Fourth-order differences of step 2e-3 on functions with derivatives of order 10: far below a wrong rule. */
const tolerance = 1e-7;

const variants: (RandomScanOptions & { name: string; keys: number })[] = [
  { name: 'everything', seqLen: 5, keys: 9 },
  { name: 'bare', seqLen: 5, bare: true, keys: 6 },
  { name: 'constant B and C', seqLen: 4, groupsB: 0, groupsC: 0, keys: 9 },
  { name: 'constant C, grouped B', seqLen: 4, groupsB: 2, groupsC: 0, keys: 9 },
  { name: 'different groups', seqLen: 3, groupsB: 4, groupsC: 2, keys: 9 },
  { name: 'packed', batch: 1, seqLen: 7, cuSeqlens: [0, 3, 3, 4, 7], keys: 9 },
  { name: 'complex', seqLen: 4, complex: true, keys: 9 },
  { name: 'complex, bare', seqLen: 4, complex: true, bare: true, keys: 6 },
  { name: 'complex, constant B and C', seqLen: 3, complex: true, groupsB: 0, groupsC: 0, keys: 9 },
  { name: 'complex, groups', seqLen: 3, complex: true, groupsB: 2, groupsC: 2, keys: 9 },
  { name: 'complex, packed', batch: 1, seqLen: 6, complex: true, cuSeqlens: [0, 2, 2, 6], keys: 9 },
  { name: 'one step', seqLen: 1, keys: 9 },
];

describe('selectiveScanBackwardRef against finite differences', () => {
  test.each(variants)('$name', ({ keys, ...options }) => {
    const given = randomScanInputs({ dInner: 4, dState: 2, ...options });
    const source = randomSource(11);
    const shape = selectiveScanRef(given).lastState.shape;
    // A zero state of its own, so that the gradient of an absent one is checked as well.
    const zeroState = { data: new Float64Array(source.normal(shape).data.length), shape };
    const inputs = { ...given, initialState: given.initialState ?? zeroState };
    const gradOut = source.normal(given.u.shape);
    const gradLastState = source.normal(shape);
    const loss = () => {
      const { out, lastState } = selectiveScanRef(inputs);
      return dot(out.data, gradOut.data) + dot(lastState.data, gradLastState.data);
    };
    const gradients = selectiveScanBackwardRef({ ...given, gradOut, gradLastState });
    const errors = gradientErrors(loss, inputs, { ...gradients });
    expect(Object.keys(errors)).toHaveLength(keys);
    expect(worst(errors)).toBeLessThan(tolerance);
  });

  test('steps above the softplus threshold', () => {
    const inputs = randomScanInputs({ seqLen: 3, dInner: 2 });
    inputs.delta.data.forEach((value, i) => {
      inputs.delta.data[i] = value + (i % 2 === 0 ? 24 : -1);
    });
    const gradOut = randomSource(11).normal(inputs.u.shape);
    const loss = () => dot(selectiveScanRef(inputs).out.data, gradOut.data);
    const errors = gradientErrors(loss, inputs, { ...selectiveScanBackwardRef({ ...inputs, gradOut }) });
    expect(worst(errors)).toBeLessThan(tolerance);
  });
});
