/** State space models and matrices for tests of the structure of kernels. */
import type { DiagonalSsm } from '../structure/diagonal-ssm.js';
import type { Matrix } from '../structure/matrix.js';
import { randomSource } from './random.js';

/** A time-varying diagonal SSM: decays uniform in [low, high), b and c standard normal. */
export function randomDiagonalSsm(
  seqLen: number,
  dState: number,
  { low = 0.92, high = 0.999, seed = 1 }: { low?: number; high?: number; seed?: number } = {},
): DiagonalSsm {
  const source = randomSource(seed);
  const count = seqLen * dState;
  const a = Float64Array.from({ length: count }, () => low + (high - low) * source.next());
  return { seqLen, dState, a, b: normals(seed + 1, count), c: normals(seed + 2, count) };
}

/** Standard normal numbers. */
export function normals(seed: number, count: number): Float64Array {
  return Float64Array.from(randomSource(seed).normal([count]).data);
}

/** A source of normal numbers that remembers where it is. */
export function normalSource(seed: number): { normal(count: number): Float64Array } {
  const source = randomSource(seed);
  return { normal: (count) => Float64Array.from(source.normal([count]).data) };
}

/** As np.linspace(0.15, 0.9, N): decays that lie the closer the more there are. */
export function spacedDecays(dState: number): number[] {
  return Array.from({ length: dState }, (_, n) => (dState === 1 ? 0.15 : 0.15 + (0.75 * n) / (dState - 1)));
}

/** A (rows, cols) matrix of `entry(i, j)`. */
export function matrixOf(rows: number, cols: number, entry: (i: number, j: number) => number): Matrix {
  const data = Float64Array.from({ length: rows * cols }, (_, at) => entry(Math.floor(at / cols), at % cols));
  return { rows, cols, data };
}

/** The 1,024 lower-triangular 4x4 matrices of zeros and ones. */
export function* binaryTriangles(): Generator<Matrix, void> {
  for (let code = 0; code < 1024; code++) {
    // The entries up to row t number t (t + 1) / 2.
    yield matrixOf(4, 4, (t, s) => (s > t ? 0 : (code >> ((t * (t + 1)) / 2 + s)) & 1));
  }
}

/** Largest difference of two matrices of one shape; NaN if an entry is. */
export function maxDifference(m: Matrix, other: Matrix): number {
  return m.data.reduce((worst, entry, i) => Math.max(worst, Math.abs(entry - (other.data[i] as number))), 0);
}
