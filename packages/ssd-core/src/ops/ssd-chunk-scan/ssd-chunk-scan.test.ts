import { describe, expect, test } from 'vitest';
import { type GoldenCase, loadGolden, maxRelativeError, ssdCase } from '../../testing/index.js';
import { ssdChunkScanRef, ssdMaskedAttentionRef, ssdRecurrentRef } from './ssd-chunk-scan.js';
import { ssdChunkScanBackwardRef } from './ssd-chunk-scan-backward.js';

/** The golden README's tolerance for this family. */
const tolerance = 1e-12;

function checkCase(golden: GoldenCase): void {
  const { inputs, upstream, expected } = ssdCase(golden);
  for (const chunkSize of golden.params.chunk_sizes_to_try as number[]) {
    const results: Record<string, { data: Float64Array; shape: readonly number[] } | undefined> = {
      ...ssdChunkScanRef({ ...inputs, chunkSize }),
      ...ssdChunkScanBackwardRef({ ...inputs, ...upstream, chunkSize }),
    };
    for (const [name, wanted] of Object.entries(expected)) {
      const ours = results[name];
      expect(ours?.shape, name).toEqual(wanted.shape);
      expect(maxRelativeError(ours!, wanted), name).toBeLessThan(tolerance);
    }
  }
  for (const f of [ssdRecurrentRef, ssdMaskedAttentionRef]) {
    const r = f(inputs);
    expect(maxRelativeError(r.out, expected.out!)).toBeLessThan(tolerance);
    if (expected.finalStates)
      expect(maxRelativeError(r.finalStates, expected.finalStates)).toBeLessThan(tolerance);
  }
}

describe('golden', () => {
  const golden = loadGolden('ssd');
  if (golden === undefined) test.skip('ssd: set STATESPACE_GOLDEN');
  else
    test.each(golden.cases.filter((c) => c.params.method !== 'core').map((c) => [c.name, c] as const))(
      '%s',
      (_, c) => checkCase(c),
    );
});
