import { ConfigError } from '@statespace/ssd-core';
import { constantDiagonalSsm } from '@statespace/ssd-core/structure';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../config/parse-config.js';
import type { Findings } from '../../experiment/result.js';
import { checkParams } from '../../experiment/run-experiment.js';
import { dualityMathematics } from './duality-mathematics.js';
import { exp1ScalarEquivalence, scalarEquivalence } from './exp1-scalar-equivalence.js';
import { diagonalEquivalence, exp2DiagonalEquivalence } from './exp2-diagonal-equivalence.js';
import { exp2bTimevaryingDiagonal, timeVaryingEquivalence } from './exp2b-timevarying-diagonal.js';
import { spacedDecays } from './shared-params.js';

const failures = ({ details }: Findings): string[] =>
  details.filter(({ passed }) => !passed).map(({ claim, found }) => `${claim}: ${found}`);

describe('exp1', () => {
  const params = { seqLen: 32, a: 0.9, b: 1, c: 1, seed: 1 };

  test.each([
    {},
    { a: 0 },
    { a: 1, seqLen: 1000 },
    { a: -0.9 },
    { seqLen: 1 },
    { seqLen: 1, a: 0 },
    { b: -2.5, c: 0.3 },
    { b: 0 },
    { seed: 99 },
  ])('holds with %j', (change) => {
    const findings = scalarEquivalence({ ...params, ...change });
    expect(failures(findings)).toEqual([]);
    const { seqLen: T, ...rest } = { ...params, ...change };
    expect(findings.metadata).toEqual({
      T,
      ...rest,
      max_abs_diff: expect.any(Number),
      output_scale: expect.any(Number),
    });
    // The worst that was measured for T = 1000 and no decay is 1.7e-13.
    expect(findings.metadata.max_abs_diff).toBeLessThan(2e-13);
  });

  test('the outputs that are compared are those of the equation', () => {
    const ssm = constantDiagonalSsm(3, [0.5], { b: [2], c: [3] });
    expect([...dualityMathematics.recurrence(ssm, Float64Array.of(1, 0, -1))]).toEqual([6, 3, -4.5]);
  });

  test('its parameters are the original example', () => {
    expect(parseConfig(exp1ScalarEquivalence.params, {}, 'test')).toMatchObject(params);
    expect(() => parseConfig(exp1ScalarEquivalence.params, { a: 1.1 }, 'test')).toThrow(ConfigError);
  });
});

describe('exp2', () => {
  const params = { seqLen: 40, seed: 2 };

  test.each([
    [{ decays: [0.5, 0.8] }, 2, 2],
    // Equal decays are one state.
    [{ decays: [0.5, 0.5, 0.8] }, 2, 2],
    [{ decays: [0] }, 1, 1],
    [{ decays: [0, 0.5, -0.5] }, 3, 3],
    [{ decays: [1, -1] }, 2, 2],
    [{ decays: [0.2, 0.4, 0.6, 0.8], seqLen: 3 }, 3, 2],
    [{ decays: [0.7], seqLen: 1 }, 1, 1],
    [{ dState: 8 }, 8, 8],
  ])(
    'of %j the generator rank is %i, the order %i, and the kernel rank T',
    (change, generatorRank, order) => {
      const findings = diagonalEquivalence({ ...params, ...change });
      expect(failures(findings)).toEqual([]);
      const T = { ...params, ...change }.seqLen;
      expect(findings.metadata).toMatchObject({
        T,
        generator_rank: generatorRank,
        ss_order: order,
        kernel_rank: T,
        N: findings.sum.heads.length,
      });
      expect(findings.metadata.head_norms).toHaveLength(findings.sum.heads.length);
    },
  );

  test('the paper says that the rank is N: at T = 40, N = 3 it is 40, and the order is 3', () => {
    const { metadata } = diagonalEquivalence({ ...params, decays: [0.3, 0.6, 0.9] });
    expect(metadata).toMatchObject({ kernel_rank: 40, ss_order: 3 });
  });

  test('a number of states beyond float64 is no failure, and is told', () => {
    const findings = diagonalEquivalence({ seqLen: 64, seed: 2, dState: 16 });
    expect(failures(findings)).toEqual([]);
    const order = findings.details.find(({ claim }) => claim.includes('order'));
    expect(order?.found).toContain('1 beyond float64');
    expect(findings.metadata.ss_order).toBeLessThan(16);
  });

  test('head norms are those of geometric series', () => {
    const { metadata } = diagonalEquivalence({ seqLen: 2, seed: 0, decays: [0.5] });
    expect((metadata.head_norms as number[])[0]).toBeCloseTo(Math.sqrt(2.25), 14);
  });

  test('takes decays or their number, not both', () => {
    const both = { decays: [0.5], dState: 3 };
    expect(() => checkParams(exp2DiagonalEquivalence, both, 'test')).toThrow('either decays or dState');
    expect(spacedDecays(4)).toEqual([0.15, 0.4, 0.65, 0.9].map((decay) => expect.closeTo(decay, 14)));
  });
});

describe('exp2b', () => {
  test.each([
    [16, 4, 4],
    [1, 3, 1],
    [2, 1, 1],
    // The order cannot be more than half of the length, rounded up.
    [5, 8, 3],
    [64, 12, 12],
  ])('T = %i, N = %i has order %i', (seqLen, dState, order) => {
    const findings = timeVaryingEquivalence({ seqLen, dState, seed: 3 });
    expect(failures(findings)).toEqual([]);
    expect(findings.metadata).toMatchObject({
      T: seqLen,
      N: dState,
      ss_order: order,
      mask_shape: [seqLen, seqLen, dState],
    });
    expect(findings.metadata.max_abs_diff).toBeLessThan(1e-14);
  });

  test('its parameters are the original example', () => {
    expect(parseConfig(exp2bTimevaryingDiagonal.params, {}, 'test')).toMatchObject({
      seqLen: 16,
      dState: 4,
      seed: 3,
    });
  });
});
