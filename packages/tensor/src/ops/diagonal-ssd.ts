/**
 * Diagonal state-space-duality scan (Hu et al. 2025, arXiv:2510.04944, section 4): `ssdChunkScan` with a decay for every
 * state. With d = clamp(softplus(dt + dtBias)):
 *   h[t,p,n] = exp(d[t] A[n]) h[t-1,p,n] + d[t] x[t,p] B[t,n];  out[t] = (h[t] C[t] + D x[t]) SiLU(z[t]).
 * x, z, out (B, L, H, P); dt (B, L, H); A (H, N); dtBias (H); B, C (B, L, G, N); D (H) or (H, P);
 * states (B, H, P, N), or (S, H, P, N) for a packed row. Backward is the adjoint recurrence of the kernel.
 */
import type { Tensor } from '../tensor.js';
import { runSsd, type SsdChunkScanOptions, type SsdChunkScanResult } from './ssd-chunk-scan.js';

export interface DiagonalSsdOptions extends SsdChunkScanOptions {
  /** (H, N), negative. */
  readonly A: Tensor;
}

/** `out` (B, L, H, P), and the state after the last step where asked for. */
export type DiagonalSsdResult = SsdChunkScanResult;

/** The scan. Strided views of unit last stride go in without a copy. @throws {ShapeError} */
export function diagonalSsd(
  options: DiagonalSsdOptions & { readonly returnFinalStates: true },
): DiagonalSsdResult & { readonly finalStates: Tensor };
export function diagonalSsd(options: DiagonalSsdOptions): DiagonalSsdResult;
export function diagonalSsd(options: DiagonalSsdOptions): DiagonalSsdResult {
  return runSsd('diagonalSsd', options);
}
