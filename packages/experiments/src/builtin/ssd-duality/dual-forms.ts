/**
 * The two forms of a diagonal SSM over inputs of some width, in float64: the recurrence, linear in the length, and the
 * product with the kernel, quadratic. u, y (T, P), row-major; both write into `out`.
 */
import type { DiagonalSsm, Matrix } from '@statespace/ssd-core/structure';

/** h[t] = a[t] h[t-1] + b[t] u[t]^T, y[t] = c[t]^T h[t], with h (N, P) and h[-1] = 0 (Algorithm 1, stages fused). */
export function recurrentForm(ssm: DiagonalSsm, u: Float64Array, width: number, out: Float64Array): void {
  const { seqLen, dState, a, b, c } = ssm;
  const h = new Float64Array(dState * width);
  out.fill(0);
  for (let t = 0; t < seqLen; t++) {
    const row = t * width;
    for (let n = 0; n < dState; n++) {
      const an = a[t * dState + n] as number;
      const bn = b[t * dState + n] as number;
      const cn = c[t * dState + n] as number;
      for (let p = 0; p < width; p++) {
        const next = an * (h[n * width + p] as number) + bn * (u[row + p] as number);
        h[n * width + p] = next;
        out[row + p] = (out[row + p] as number) + cn * next;
      }
    }
  }
}

/** y = M u with the kernel M (T, T) as a matrix like any other, the zeros above its diagonal included. */
export function attentionForm(kernel: Matrix, u: Float64Array, width: number, out: Float64Array): void {
  const { rows, cols, data } = kernel;
  out.fill(0);
  for (let t = 0; t < rows; t++) {
    const row = t * width;
    for (let s = 0; s < cols; s++) {
      const weight = data[t * cols + s] as number;
      for (let p = 0; p < width; p++) {
        out[row + p] = (out[row + p] as number) + weight * (u[s * width + p] as number);
      }
    }
  }
}
