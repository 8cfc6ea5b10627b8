import { describe, expect, test } from 'vitest';
import { type GoldenCase, loadGolden, maxRelativeError, selectiveScanCase } from '../../testing/index.js';
import { selectiveScanRef } from './selective-scan.js';
import { selectiveScanBackwardRef } from './selective-scan-backward.js';

/** The golden README's tolerance for this family. */
const tolerance = 1e-12;

function checkCase(golden: GoldenCase): void {
  const { inputs, upstream, expected } = selectiveScanCase(golden);
  const results: Record<string, { data: Float64Array; shape: readonly number[] } | undefined> = {
    ...selectiveScanRef(inputs),
    ...selectiveScanBackwardRef({ ...inputs, ...upstream }),
  };
  for (const [name, wanted] of Object.entries(expected)) {
    const ours = results[name];
    expect(ours?.shape, name).toEqual(wanted.shape);
    expect(maxRelativeError(ours!, wanted), name).toBeLessThan(tolerance);
  }
}

describe('golden', () => {
  const golden = loadGolden('selective-scan');
  if (golden === undefined) test.skip('selective-scan: set STATESPACE_GOLDEN');
  else test.each(golden.cases.map((c) => [c.name, c] as const))('%s', (_, c) => checkCase(c));
});
