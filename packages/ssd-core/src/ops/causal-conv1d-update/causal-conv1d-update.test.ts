import { describe, expect, test } from 'vitest';
import { causalConv1dUpdateCase, loadGolden, maxRelativeError } from '../../testing/index.js';
import { causalConv1dUpdateRef } from './causal-conv1d-update.js';

const tolerance = 1e-13;
describe('golden', () => {
  const golden = loadGolden('causal-conv1d');
  if (golden === undefined) test.skip('causal-conv1d: set STATESPACE_GOLDEN');
  else
    test.each(golden.cases.filter((c) => c.params.kind === 'update').map((c) => [c.name, c] as const))(
      '%s',
      (_, c) => {
        const { inputs, expected } = causalConv1dUpdateCase(c);
        const r = causalConv1dUpdateRef(inputs);
        expect(maxRelativeError(r.out, expected.out!)).toBeLessThan(tolerance);
        expect(maxRelativeError(r.convState, expected.convState!)).toBeLessThan(tolerance);
      },
    );
});
