/** The same growth of times on the kernels of a device, in float32, to lengths that the product cannot reach. */
import { constantDiagonalSsm } from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import { recurrentForm } from './dual-forms.js';
import { outputDifference } from './equivalence.js';
import {
  diagonalForm,
  headsForm,
  kernelProductForm,
  maskedAttentionForm,
  type NativeForm,
  type NativeProblem,
  scanForm,
} from './native-forms.js';
import { scalingDecays, scalingWidth } from './time-scaling.js';
import { timeCalls } from './timing.js';

/** The forms by their names in logs and legends. */
export const nativeForms = {
  selectiveScan: scanForm,
  ssdChunkScan: headsForm,
  diagonalSsd: diagonalForm,
  'kernel product': kernelProductForm,
  'kernel and product': maskedAttentionForm,
} as const satisfies Record<string, (problem: NativeProblem) => NativeForm>;

export type NativeFormName = keyof typeof nativeForms;

/** Forms whose time grows with T; the others' grows with T^2, and so does their memory. */
export const linearForms: readonly NativeFormName[] = ['selectiveScan', 'ssdChunkScan', 'diagonalSsd'];

export interface NativeRow {
  readonly form: NativeFormName;
  readonly T: number;
  /** Per call. */
  readonly ms: number;
  /** max|y - y'| / max(1, max|y'|) against the float64 recurrence. */
  readonly output_difference: number;
}

export interface NativeScalingOptions {
  readonly device: string;
  readonly seed: number;
  readonly minSampleMs: number;
}

/** Times the forms `names` at one length, and compares their outputs with the float64 recurrence. */
export function measureNative(
  seqLen: number,
  names: readonly NativeFormName[],
  { device, seed, minSampleMs }: NativeScalingOptions,
): NativeRow[] {
  const u = new Generator(seed, seqLen).normal(seqLen * scalingWidth);
  const exact = new Float64Array(u.length);
  recurrentForm(constantDiagonalSsm(seqLen, scalingDecays), u, scalingWidth, exact);
  return names.map((name) => {
    const form = nativeForms[name]({ device, decays: scalingDecays, u, width: scalingWidth });
    try {
      const { relative } = outputDifference(form.result(), exact);
      const ms = timeCalls(() => form.run(), { minSampleMs }).msPerCall;
      return { form: name, T: seqLen, ms, output_difference: relative };
    } finally {
      form.dispose();
    }
  });
}
