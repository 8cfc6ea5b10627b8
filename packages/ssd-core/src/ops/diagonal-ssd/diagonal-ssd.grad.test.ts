import { describe, expect, test } from 'vitest';
import {
  dot,
  gradientErrors,
  type RandomSsdOptions,
  randomDiagonalSsdInputs,
  randomSource,
  worst,
} from '../../testing/index.js';
import { diagonalSsdRecurrentRef, diagonalSsdRef } from './diagonal-ssd.js';
import { diagonalSsdBackwardRef } from './diagonal-ssd-backward.js';

/** Fourth-order differences of step 2e-3 on functions with derivatives of order 10: far below a wrong rule. */
const tolerance = 1e-7;

const variants: (RandomSsdOptions & { name: string; keys: number })[] = [
  { name: 'one chunk', seqLen: 5, chunkSize: 8, keys: 9 },
  { name: 'several chunks, the last one short', seqLen: 7, chunkSize: 3, keys: 9 },
  { name: 'several tiles to a chunk', batch: 1, seqLen: 21, chunkSize: 20, keys: 9 },
  { name: 'chunks of one step', seqLen: 4, chunkSize: 1, keys: 9 },
  { name: 'bare', seqLen: 6, chunkSize: 4, bare: true, keys: 6 },
  { name: 'D for each channel', seqLen: 4, chunkSize: 2, skipPerChannel: true, keys: 9 },
  { name: 'packed', batch: 1, seqLen: 8, chunkSize: 2, cuSeqlens: [0, 3, 3, 4, 8], keys: 9 },
  { name: 'one step', seqLen: 1, keys: 9 },
];

describe('diagonalSsdBackwardRef against finite differences', () => {
  test.each(variants)('$name', ({ keys, ...options }) => {
    const given = randomDiagonalSsdInputs({ nHeads: 2, headDim: 2, dState: 3, nGroups: 1, ...options });
    const source = randomSource(11);
    const gradOut = source.normal(given.x.shape);
    const gradFinalStates = source.normal(diagonalSsdRef(given).finalStates.shape);
    const zeroStates = { ...gradFinalStates, data: new Float64Array(gradFinalStates.data.length) };
    const inputs = { ...given, initialStates: given.initialStates ?? zeroStates };
    // The recurrent form, so that an error shared by both directions of the chunked one would show.
    const loss = () => {
      const { out, finalStates } = diagonalSsdRecurrentRef(inputs);
      return dot(out.data, gradOut.data) + dot(finalStates.data, gradFinalStates.data);
    };
    const gradients = diagonalSsdBackwardRef({ ...given, gradOut, gradFinalStates });
    const errors = gradientErrors(loss, inputs, { ...gradients });
    expect(Object.keys(errors)).toHaveLength(keys);
    expect(worst(errors)).toBeLessThan(tolerance);
  });
});
