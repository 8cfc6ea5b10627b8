/**
 * Both forms of a diagonal SSM with constant decays and b = c = 1 on the kernels of a device, in float32:
 *   y[t] = sum_n sum_{s<=t} lambda_n^(t-s) u[s];  u, y (T, P).
 */
import {
  arange,
  diagonalSsd,
  ones,
  scope,
  selectiveScan,
  ssdChunkScan,
  type Tensor,
  tensor,
} from '@statespace/tensor';

/** What the forms are computed of. */
export interface NativeProblem {
  readonly device: string;
  /** lambda (N), each in (0, 1). */
  readonly decays: readonly number[];
  /** (T, P), row-major. */
  readonly u: Float64Array;
  /** P */
  readonly width: number;
}

/** One form with its inputs on the device. */
export interface NativeForm {
  /** Computes it once, and waits for the result. */
  run(): void;
  /** Computes it once; y (T, P), row-major. */
  result(): ArrayLike<number>;
  dispose(): void;
}

/** The recurrence by `selectiveScan`: every step delta is 1 and A = ln lambda, the same in each channel. */
export function scanForm({ device, decays, u, width }: NativeProblem): NativeForm {
  const options = { dtype: 'f32', device } as const;
  const rows = [u.length / width, width] as const;
  const channels = [width, decays.length] as const;
  const inputs = {
    u: tensor(u, { ...options, shape: [1, ...rows] }),
    delta: ones([1, ...rows], options),
    A: tensor(
      Array.from({ length: width }, () => decays.map(Math.log)),
      options,
    ),
    B: ones(channels, options),
    C: ones(channels, options),
  };
  return nativeForm(Object.values(inputs), () => selectiveScan(inputs).out);
}

/** The sum of N heads by `ssdChunkScan`: head n has the decay lambda_n, a state of one, and all of u. */
export function headsForm({ device, decays, u, width }: NativeProblem): NativeForm {
  const options = { dtype: 'f32', device } as const;
  const seqLen = u.length / width;
  const heads = decays.length;
  const row = tensor(u, { ...options, shape: [1, seqLen, 1, width] });
  const inputs = {
    x: row.expand([1, seqLen, heads, width]),
    dt: ones([1, seqLen, heads], options),
    A: tensor(decays.map(Math.log), options),
    B: ones([1, seqLen, 1, 1], options),
    C: ones([1, seqLen, 1, 1], options),
  };
  return nativeForm([row, ...Object.values(inputs)], () => ssdChunkScan(inputs).out.sum(2));
}

/** One head of N decays by `diagonalSsd`: Algorithm 1 as a kernel of its own. */
export function diagonalForm({ device, decays, u, width }: NativeProblem): NativeForm {
  const options = { dtype: 'f32', device } as const;
  const seqLen = u.length / width;
  const weights = [1, seqLen, 1, decays.length] as const;
  const inputs = {
    x: tensor(u, { ...options, shape: [1, seqLen, 1, width] }),
    dt: ones([1, seqLen, 1], options),
    A: tensor([decays.map(Math.log)], options),
    B: ones(weights, options),
    C: ones(weights, options),
  };
  return nativeForm(Object.values(inputs), () => diagonalSsd(inputs).out);
}

/** The product of the kernel, made beforehand, with u. */
export function kernelProductForm(problem: NativeProblem): NativeForm {
  const { inputs, kernel } = kernelParts(problem);
  const made = scope(kernel);
  for (const tensor of [inputs.lag, inputs.mask]) tensor.dispose();
  return nativeForm([made, inputs.u], () => made.matmul(inputs.u));
}

/** The kernel, made anew in every call, and its product with u. */
export function maskedAttentionForm(problem: NativeProblem): NativeForm {
  const { inputs, kernel } = kernelParts(problem);
  return nativeForm(Object.values(inputs), () => kernel().matmul(inputs.u));
}

/** M = mask o sum_n exp(lag ln lambda_n), with lag[t,s] = max(t - s, 0) and the mask 1 where s <= t; all (T, T). */
function kernelParts({ device, decays, u, width }: NativeProblem) {
  const options = { dtype: 'f32', device } as const;
  const seqLen = u.length / width;
  const inputs = scope(() => {
    const steps = arange(seqLen, options);
    // Whole numbers below 2^24: exact in float32.
    const distance = steps.unsqueeze(1).sub(steps.unsqueeze(0));
    return {
      u: tensor(u, { ...options, shape: [seqLen, width] }),
      lag: distance.maximum(0),
      // 1 from distance 0 on, 0 below: distances are whole numbers.
      mask: distance.add(1).maximum(0).minimum(1),
    };
  });
  const kernel = (): Tensor =>
    decays
      .map((decay) => inputs.lag.mul(Math.log(decay)).exp())
      .reduce((sum, head) => sum.add(head))
      .mul(inputs.mask);
  return { inputs, kernel };
}

function nativeForm(inputs: readonly Tensor[], compute: () => Tensor): NativeForm {
  return {
    run: () =>
      scope(() => {
        // One number of the result: a device that works in the background has to be done for it.
        compute().flatten().slice(0, 0, 1).item();
      }),
    result: () => scope(() => compute().toArray() as Float32Array),
    dispose: () => {
      for (const input of inputs) input.dispose();
    },
  };
}
