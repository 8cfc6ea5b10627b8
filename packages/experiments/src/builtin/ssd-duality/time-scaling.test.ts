import {
  type DiagonalSsm,
  diagonalKernel,
  type Matrix,
  type StageFlops,
  stageFlops,
} from '@statespace/ssd-core/structure';
import { describe, expect, test } from 'vitest';
import { attentionForm, recurrentForm } from './dual-forms.js';
import type { NativeRow } from './native-scaling.js';
import { flopsScale, scalingFlops } from './scaling-flops.js';
import { type DualForms, dualForms, measureScaling, type ScalingRow, scalingSlopes } from './time-scaling.js';
import {
  formsAgree,
  nativeFormsAgree,
  nativeSlopes,
  nativeTimesScale,
  timesScale,
} from './time-scaling-checks.js';

const options = { seed: 3, minSampleMs: 0.01, endToEnd: false };
const lengths = [1, 12, 60];

/** Whether the forms pass for equal with `broken` in the place of the right ones. */
function agree(broken: Partial<DualForms>): boolean {
  const forms = { ...dualForms, ...broken };
  const rows = lengths.map((seqLen) => measureScaling(seqLen, options, forms));
  return formsAgree(rows, forms.tolerance).every(({ passed }) => passed);
}

test('the forms agree as they are', () => {
  expect(agree({})).toBe(true);
});

describe('agreement fails with', () => {
  const edited =
    (edit: (entry: number, t: number, s: number) => number) =>
    (ssm: DiagonalSsm): Matrix => {
      const kernel = diagonalKernel(ssm);
      const { cols } = kernel;
      return { ...kernel, data: kernel.data.map((entry, i) => edit(entry, Math.floor(i / cols), i % cols)) };
    };
  const decaysOf = (ssm: DiagonalSsm, power: number): DiagonalSsm => ({
    ...ssm,
    a: ssm.a.map((a) => a ** power),
  });

  test.each<[string, Partial<DualForms>]>([
    ['a kernel without its causal mask', { kernel: edited((entry, t, s) => (s > t ? 1 : entry)) }],
    ['a kernel without its diagonal', { kernel: edited((entry, t, s) => (s === t ? 0 : entry)) }],
    ['a mask that is off by one', { kernel: edited((entry, t, s) => (s === t + 1 ? 4 : entry)) }],
    ['a tolerance that lets everything pass', { tolerance: 1 }],
    ['a tolerance below rounding', { tolerance: 0 }],
    ['squared decays in the kernel', { kernel: (ssm) => diagonalKernel(decaysOf(ssm, 2)) }],
    ['decays one step too many', { kernel: (ssm) => diagonalKernel({ ...ssm, b: ssm.a }) }],
    [
      'squared decays in the recurrence',
      {
        recurrent: (ssm, u, width, out) => recurrentForm(decaysOf(ssm, 2), u, width, out),
      },
    ],
    [
      'a recurrence that reads its state late',
      {
        recurrent: (ssm, u, width, out) => {
          recurrentForm(ssm, u, width, out);
          out.copyWithin(width, 0);
        },
      },
    ],
    [
      'a product that leaves the first step out',
      {
        attention: (kernel, u, width, out) =>
          attentionForm(
            kernel,
            u.map((value, i) => (i < width ? 0 : value)),
            width,
            out,
          ),
      },
    ],
  ])('%s', (_name, broken) => {
    expect(agree(broken)).toBe(false);
  });
});

describe('what is made of times', () => {
  const row = (T: number, recurrence_ms: number, attention_ms: number): ScalingRow => ({
    T,
    recurrence_ms,
    attention_ms,
    speedup: attention_ms / recurrence_ms,
    output_difference: 0,
  });
  const linear = [300, 600, 1200].map((T) => row(T, 1e-4 * T, 1e-5 * T * T));

  test('exponents come from all lengths', () => {
    expect(scalingSlopes(linear)).toEqual({
      recurrence_ms: expect.closeTo(1, 12),
      attention_ms: expect.closeTo(2, 12),
    });
    const endToEnd = linear.map((each) => ({ ...each, attention_end_to_end_ms: each.T ** 2.1 }));
    expect(scalingSlopes(endToEnd).attention_end_to_end_ms).toBeCloseTo(2.1, 12);
    expect(scalingSlopes(linear.slice(0, 1))).toEqual({});
    expect(timesScale(linear.slice(0, 1), {})).toEqual([]);
  });

  test('expected growth passes, and none of it can fail an experiment', () => {
    const checks = timesScale(linear, scalingSlopes(linear));
    expect(checks.map(({ passed, advisory }) => [passed, advisory])).toEqual(Array(3).fill([true, true]));
  });

  test('growth of another order is reported', () => {
    const swapped = linear.map(({ T, recurrence_ms, attention_ms }) => row(T, attention_ms, recurrence_ms));
    const checks = timesScale(swapped, scalingSlopes(swapped));
    expect(checks.map(({ passed }) => passed)).toEqual([false, false, false]);
  });

  test('native forms: by form, and outputs must agree', () => {
    const rows: NativeRow[] = [
      { form: 'selectiveScan', T: 4096, ms: 1, output_difference: 1e-7 },
      { form: 'selectiveScan', T: 65_536, ms: 16, output_difference: 2e-7 },
      { form: 'kernel product', T: 512, ms: 3, output_difference: 1e-7 },
    ];
    expect(nativeSlopes(rows)).toEqual({ selectiveScan: expect.closeTo(1, 12) });
    expect(nativeTimesScale({ selectiveScan: 1 })).toMatchObject([{ passed: true, advisory: true }]);
    expect(nativeTimesScale({ selectiveScan: 2 })).toMatchObject([{ passed: false, advisory: true }]);
    expect(nativeFormsAgree(rows)).toMatchObject({ passed: true });
    const wrong = { ...(rows[0] as NativeRow), output_difference: 1e-3 };
    expect(nativeFormsAgree([...rows, wrong])).toMatchObject({ passed: false });
  });
});

describe('operations', () => {
  const lengths = [10, 20, 40];

  test('are 4 units a state and step, T^2 multiplications and additions in the product', () => {
    const counts = lengths.map((seqLen) => scalingFlops(seqLen));
    expect(counts[1]).toMatchObject({ T: 20, stage_units: 4 * 4 * 20 * 16, product_flops: 20 * 20 * 16 });
    expect(flopsScale(counts).map(({ passed }) => passed)).toEqual([true, true]);
    expect(flopsScale(counts.slice(0, 1))).toMatchObject([{ passed: true }]);
  });

  test.each<[string, (flops: StageFlops, seqLen: number) => object]>([
    ['a stage is left out', ({ units }) => ({ units: { ...units, total: 0.75 * units.total } })],
    [
      'the recurrence is counted as quadratic',
      ({ recurrence }, T) => ({ recurrence: { total: recurrence.total * T } }),
    ],
    ['the product is counted as linear', ({ product }, T) => ({ product: { total: product.total / T } })],
  ])('the claims fail when %s', (_name, edit) => {
    const wrong: typeof stageFlops = (sizes) => {
      const flops = stageFlops(sizes);
      return { ...flops, ...edit(flops, sizes.seqLen) };
    };
    const checks = flopsScale(lengths.map((seqLen) => scalingFlops(seqLen, wrong)));
    expect(checks.every(({ passed }) => passed)).toBe(false);
  });
});
