/** Matrix products in float64: out = activation(op(a) op(b) + bias). */
import { loadFloat64 } from '../../reference/views.js';
import { contiguousStrides, type TensorLike } from '../../tensor-like.js';
import { silu } from '../activations.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { checkGemmInputs, type GemmInputs } from './shapes.js';

/** Rows of b that stay in the level-1 cache while all rows of a pass over them. */
const blockK = 64;
const blockN = 64;

/**
 * activation(op(a) op(b) + bias), (..., M, N); `accumulate` is for the caller.
 * a (..., M, K), or (..., K, M) with `transposeA`; b (..., K, N) or (K, N), transposed likewise; bias (N).
 * Each entry is summed in order of k.
 * @throws {StatespaceError} naming the argument that does not fit.
 */
export function gemmRef(inputs: GemmInputs): Float64Tensor {
  const { batch, m, n, k, sharedB } = checkGemmInputs('gemm', inputs);
  const a = loadFloat64('gemm', 'a', inputs.transposeA ? swapMatrixAxes(inputs.a) : inputs.a);
  const b = loadFloat64('gemm', 'b', inputs.transposeB ? swapMatrixAxes(inputs.b) : inputs.b);
  const out = new Float64Array(batch * m * n);
  for (let item = 0; item < batch; item++) {
    multiplyInto(
      out.subarray(item * m * n, (item + 1) * m * n),
      a.subarray(item * m * k, (item + 1) * m * k),
      sharedB ? b : b.subarray(item * k * n, (item + 1) * k * n),
      { m, n, k },
    );
  }
  const bias = inputs.bias === undefined ? undefined : loadFloat64('gemm', 'bias', inputs.bias);
  if (bias !== undefined) {
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + (bias[i % n] as number);
  }
  const shape = [...inputs.a.shape.slice(0, -2), m, n];
  return float64Tensor(inputs.activation === 'silu' ? out.map(silu) : out, shape);
}

/** out (m, n) += a (m, k) b (k, n), all row-major; each entry takes its terms in order of k. */
export function multiplyInto(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  { m, n, k }: { readonly m: number; readonly n: number; readonly k: number },
): void {
  for (let firstP = 0; firstP < k; firstP += blockK) {
    const endP = Math.min(firstP + blockK, k);
    for (let firstJ = 0; firstJ < n; firstJ += blockN) {
      const endJ = Math.min(firstJ + blockN, n);
      for (let i = 0; i < m; i++) {
        let p = firstP;
        for (; p + 4 <= endP; p += 4) addFourRows(out, i * n, a, i * k + p, b, p * n, n, firstJ, endJ);
        for (; p < endP; p++) {
          const factor = a[i * k + p] as number;
          for (let j = firstJ; j < endJ; j++) {
            out[i * n + j] = (out[i * n + j] as number) + factor * (b[p * n + j] as number);
          }
        }
      }
    }
  }
}

/** out[atOut + j] += sum over r < 4 of a[atA + r] * b[atB + r * n + j]: one load and store of `out` for four terms. */
function addFourRows(
  out: Float64Array,
  atOut: number,
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  n: number,
  firstJ: number,
  endJ: number,
): void {
  const a0 = a[atA] as number;
  const a1 = a[atA + 1] as number;
  const a2 = a[atA + 2] as number;
  const a3 = a[atA + 3] as number;
  for (let j = firstJ; j < endJ; j++) {
    let sum = out[atOut + j] as number;
    sum += a0 * (b[atB + j] as number);
    sum += a1 * (b[atB + n + j] as number);
    sum += a2 * (b[atB + 2 * n + j] as number);
    sum += a3 * (b[atB + 3 * n + j] as number);
    out[atOut + j] = sum;
  }
}

/** A view with the last two axes exchanged. */
function swapMatrixAxes(tensor: TensorLike): TensorLike {
  const strides = tensor.strides ?? contiguousStrides(tensor.shape);
  return { ...tensor, shape: exchangeLastTwo(tensor.shape), strides: exchangeLastTwo(strides) };
}

function exchangeLastTwo(list: readonly number[]): number[] {
  return [...list.slice(0, -2), list.at(-1) as number, list.at(-2) as number];
}
