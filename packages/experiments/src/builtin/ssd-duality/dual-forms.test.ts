import type { DiagonalSsm, Matrix } from '@statespace/ssd-core/structure';
import { Generator, getBackendInfo } from '@statespace/tensor';
import { describe, expect, test } from 'vitest';
import { attentionForm, recurrentForm } from './dual-forms.js';
import { outputDifference } from './equivalence.js';
import { headsForm, kernelProductForm, maskedAttentionForm, scanForm } from './native-forms.js';

/** A time-varying system of 3 states over 9 steps. */
function randomSystem(): DiagonalSsm {
  const generator = new Generator(5);
  const [seqLen, dState] = [9, 3];
  const draw = () => generator.normal(seqLen * dState);
  return { seqLen, dState, a: generator.uniform(seqLen * dState), b: draw(), c: draw() };
}

/** M[t,s] = sum_n c[t,n] a[s+1,n] ... a[t,n] b[s,n], product by product. */
function kernelByDefinition({ seqLen, dState, a, b, c }: DiagonalSsm): Matrix {
  const data = new Float64Array(seqLen * seqLen);
  for (let t = 0; t < seqLen; t++) {
    for (let s = 0; s <= t; s++) {
      for (let n = 0; n < dState; n++) {
        let product = 1;
        for (let k = s + 1; k <= t; k++) product *= a[k * dState + n] as number;
        const weight = (c[t * dState + n] as number) * product * (b[s * dState + n] as number);
        data[t * seqLen + s] = (data[t * seqLen + s] as number) + weight;
      }
    }
  }
  return { rows: seqLen, cols: seqLen, data };
}

describe('float64 forms', () => {
  const ssm = randomSystem();
  const u = new Generator(6).normal(9 * 4);

  test('recurrence and kernel product agree, and overwrite what was there', () => {
    const [y, z] = [new Float64Array(36).fill(Number.NaN), new Float64Array(36).fill(Number.NaN)];
    recurrentForm(ssm, u, 4, y);
    attentionForm(kernelByDefinition(ssm), u, 4, z);
    expect(outputDifference(y, z).relative).toBeLessThan(1e-14);
    expect(Math.max(...y)).toBeGreaterThan(1);
  });

  test('columns of the inputs do not mix', () => {
    const wide = new Float64Array(36);
    const narrow = new Float64Array(9);
    recurrentForm(ssm, u, 4, wide);
    recurrentForm(
      ssm,
      u.filter((_, i) => i % 4 === 2),
      1,
      narrow,
    );
    expect(wide.filter((_, i) => i % 4 === 2)).toEqual(narrow);
  });
});

const devices = getBackendInfo().backend === 'cpu' ? ['reference', 'cpu'] : ['reference'];

describe.each(devices)('float32 forms on %s', (device) => {
  const [seqLen, width, decays] = [150, 6, [0.5, 0.7, 0.99]];
  const u = new Generator(8).normal(seqLen * width);
  const exact = new Float64Array(seqLen * width);
  recurrentForm(constantSystem(seqLen, decays), u, width, exact);

  test.each(Object.entries({ scanForm, headsForm, kernelProductForm, maskedAttentionForm }))(
    '%s',
    (_name, make) => {
      const form = make({ device, decays, u, width });
      form.run();
      // Sums of a hundred float32 terms that matter: some roundings of 6e-8.
      expect(outputDifference(form.result(), exact).relative).toBeLessThan(3e-6);
      form.dispose();
    },
  );
});

function constantSystem(seqLen: number, decays: readonly number[]): DiagonalSsm {
  const dState = decays.length;
  const every = (value: (n: number) => number) =>
    Float64Array.from({ length: seqLen * dState }, (_, i) => value(i % dState));
  return { seqLen, dState, a: every((n) => decays[n] as number), b: every(() => 1), c: every(() => 1) };
}
