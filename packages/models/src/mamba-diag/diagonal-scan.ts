/**
 * A diagonal state-space model with constant, positive decays a = exp(-exp(theta)), for each channel on its own:
 *   h[t] = a h[t-1] + B u[t];   y[t] = (<C, h[t]> + D u[t]) SiLU(z[t]),
 * which without gate is y = k * u + D u with k[j] = sum_n C_n B_n a_n^j (Hu et al. 2025, arXiv:2510.04944, section 4.1).
 */
import { ones, type SelectiveScanResult, selectiveScan, type Tensor } from '@statespace/tensor';
import { decayRates } from '../layers/decay-rates.js';

export interface DiagonalScanOptions {
  /** (B, L, E) */
  readonly u: Tensor;
  /** (E, N), or (E, 1) where the N states of a channel decay alike. */
  readonly theta: Tensor;
  /** (E, N) */
  readonly B: Tensor;
  /** (E, N) */
  readonly C: Tensor;
  /** Skip weight, (E). */
  readonly D?: Tensor;
  /** Gate, (B, L, E). */
  readonly z?: Tensor;
  /** (B, E, N); zero when absent. */
  readonly initialState?: Tensor;
  /** Default false. */
  readonly returnLastState?: boolean;
}

/**
 * The model as a selective scan that does not select: its steps are 1, so that exp(delta A) = exp(-exp(theta)) and
 * delta B = B. @throws {ShapeError} @throws {DTypeError}
 */
export function diagonalScan(
  options: DiagonalScanOptions & { readonly returnLastState: true },
): SelectiveScanResult & { readonly lastState: Tensor };
export function diagonalScan(options: DiagonalScanOptions): SelectiveScanResult;
export function diagonalScan({ theta, ...options }: DiagonalScanOptions): SelectiveScanResult {
  const { u, B } = options;
  const A = decayRates(theta, B.shape[1] as number);
  return selectiveScan({ ...options, A, delta: unitSteps(u) });
}

/** Steps of length one for the inputs `u`, a view of E numbers. */
export function unitSteps(u: Tensor): Tensor {
  return ones([u.shape.at(-1) as number], { dtype: u.dtype, device: u.device }).expand(u.shape);
}
