import { describe, expect, test } from 'vitest';
import { causalConv1dCase, type GoldenCase, loadGolden, maxRelativeError } from '../../testing/index.js';
import { causalConv1dRef } from './causal-conv1d.js';
import { causalConv1dBackwardRef } from './causal-conv1d-backward.js';

/** The golden README's tolerance for this family. */
const tolerance = 1e-13;

function checkCase(golden: GoldenCase): void {
  const { inputs, upstream, expected } = causalConv1dCase(golden);
  const results: Record<string, { data: Float64Array; shape: readonly number[] } | undefined> = {
    ...causalConv1dRef(inputs),
    ...causalConv1dBackwardRef({ ...inputs, ...upstream }),
  };
  for (const [name, wanted] of Object.entries(expected)) {
    const ours = results[name];
    expect(ours?.shape, name).toEqual(wanted.shape);
    expect(maxRelativeError(ours!, wanted), name).toBeLessThan(tolerance);
  }
}

describe('golden', () => {
  const golden = loadGolden('causal-conv1d');
  if (golden === undefined) test.skip('causal-conv1d: set STATESPACE_GOLDEN');
  else
    test.each(
      golden.cases
        .filter((c) => c.params.kind === 'forward' || c.params.kind === 'packed')
        .map((c) => [c.name, c] as const),
    )('%s', (_, c) => checkCase(c));
});
