/** Softmax along the last axis, or its logarithm, shifted by the largest entry so that nothing overflows. */
import type { SoftmaxArgs, SoftmaxBackwardArgs } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { expectInput, expectOutput, lastAxis } from '../../tensor-checks.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkSoftmax(op: string, args: SoftmaxArgs): void {
  expectInput(op, 'x', args.x);
  lastAxis(op, 'x', args.x);
  expectOutput(op, 'out', args.out, { shape: args.x.shape });
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkSoftmaxBackward(op: string, args: SoftmaxBackwardArgs): void {
  const { shape } = args.out;
  expectInput(op, 'out', args.out);
  lastAxis(op, 'out', args.out);
  expectInput(op, 'gradOut', args.gradOut, { shape });
  expectOutput(op, 'gradX', args.gradX, { shape });
}

/** exp(x_i) / sum_j exp(x_j), or x_i - log sum_j exp(x_j) with `log`; shape of x. */
export function softmaxRef({ x, log = false }: Omit<SoftmaxArgs, 'out'>): Float64Tensor {
  expectInput('softmax', 'x', x);
  const length = lastAxis('softmax', 'x', x);
  const out = loadFloat64('softmax', 'x', x);
  forEachRow(out, length, (row) => {
    const normaliser = logSumExp(row);
    for (let i = 0; i < length; i++) {
      const logProbability = (row[i] as number) - normaliser;
      row[i] = log ? logProbability : Math.exp(logProbability);
    }
  });
  return float64Tensor(out, x.shape);
}

/** With p the softmax: p (g - sum g p), or g - p sum g with `log`; `out` is the forward result. */
export function softmaxBackwardRef({
  out,
  log = false,
  gradOut,
}: Omit<SoftmaxBackwardArgs, 'gradX'>): Float64Tensor {
  const op = 'softmaxBackward';
  expectInput(op, 'out', out);
  const length = lastAxis(op, 'out', out);
  expectInput(op, 'gradOut', gradOut, { shape: out.shape });
  const forward = loadFloat64(op, 'out', out);
  const grad = loadFloat64(op, 'gradOut', gradOut);
  forEachRow(grad, length, (row, start) => {
    let sum = 0;
    for (let i = 0; i < length; i++) {
      sum += (row[i] as number) * (log ? 1 : (forward[start + i] as number));
    }
    for (let i = 0; i < length; i++) {
      const y = forward[start + i] as number;
      row[i] = log ? (row[i] as number) - Math.exp(y) * sum : y * ((row[i] as number) - sum);
    }
  });
  return float64Tensor(grad, out.shape);
}

/** log sum_i exp(values_i); -Infinity for none. */
export function logSumExp(values: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) largest = Math.max(largest, value);
  // Also hands NaN and +Infinity on, where the shifted sum would be Infinity - Infinity.
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}

function forEachRow(
  values: Float64Array,
  length: number,
  visit: (row: Float64Array, start: number) => void,
): void {
  for (let start = 0; start < values.length; start += length) {
    visit(values.subarray(start, start + length), start);
  }
}
