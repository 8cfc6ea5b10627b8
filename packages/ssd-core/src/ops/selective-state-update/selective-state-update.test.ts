import { describe, expect, test } from 'vitest';
import { loadGolden, maxRelativeError, selectiveStateUpdateSteps } from '../../testing/index.js';
import { selectiveStateUpdateRef } from './selective-state-update.js';

const tolerance = 1e-13;
describe('golden', () => {
  const golden = loadGolden('selective-state-update');
  if (golden === undefined) test.skip('selective-state-update: set STATESPACE_GOLDEN');
  else
    test.each(golden.cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
      const { state, steps, expectedOut, expectedState } = selectiveStateUpdateSteps(c);
      let running: { data: Float64Array; shape: readonly number[] } = state;
      steps.forEach((step, i) => {
        const r = selectiveStateUpdateRef({ ...step, state: running });
        expect(maxRelativeError(r.out, expectedOut[i]!)).toBeLessThan(tolerance);
        running = r.state;
      });
      expect(maxRelativeError(running, expectedState)).toBeLessThan(tolerance);
    });
});
