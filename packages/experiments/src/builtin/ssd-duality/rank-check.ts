/**
 * Ranks as float64 can tell them. A rank counts the singular values above tau = max(m, n) 2^-52 sigma_1; the exact rank
 * of a kernel with many similar decays lies in singular values far below tau, and no such count finds it.
 */
import { type Matrix, singularValues, subMatrix } from '@statespace/ssd-core/structure';
import type { Check } from '../../experiment/result.js';

/** Singular values this many times above tau are no product of rounding. */
const margin = 8;

/** Singular values of `matrix` that stand clear of rounding: what every right count finds at least. */
export function clearRank(matrix: Matrix): number {
  const values = singularValues(matrix);
  const tau = Math.max(matrix.rows, matrix.cols) * 2 ** -52 * (values[0] ?? 0);
  return values.filter((value) => value > margin * tau).length;
}

/** A counted rank beside the exact one. */
export interface RankFinding {
  readonly found: number;
  readonly exact: number;
  /** What can be told apart from rounding. */
  readonly clear: number;
}

/** Whether the exact rank is out of float64's reach. */
export function isSaturated({ exact, clear }: RankFinding): boolean {
  return clear < exact;
}

/** Equal where float64 can tell; between what is clear and what is exact where it cannot. */
export function rankHolds(finding: RankFinding): boolean {
  const { found, exact, clear } = finding;
  return found <= exact && found >= Math.min(clear, exact);
}

/** All of `findings` hold, as `claim` says. */
export function ranksCheck(claim: string, findings: readonly RankFinding[]): Check {
  const wrong = findings.filter((finding) => !rankHolds(finding));
  const saturated = findings.filter(isSaturated).length;
  const [first] = wrong;
  return {
    claim,
    passed: findings.length > 0 && wrong.length === 0,
    found:
      first === undefined
        ? describe(findings, saturated)
        : `${first.found} for ${first.exact}${wrong.length > 1 ? `, and ${wrong.length - 1} more` : ''}`,
  };
}

function describe(findings: readonly RankFinding[], saturated: number): string {
  const [only] = findings;
  const text =
    findings.length === 1 && only !== undefined
      ? `${only.found}`
      : `${findings.length} of ${findings.length}`;
  return saturated === 0 ? text : `${text}, ${saturated} beyond float64`;
}

/** M[t:, :t+1] for the t in the middle: where a semiseparable kernel has most rank. */
export function middleBlock(matrix: Matrix): Matrix {
  const begin = Math.floor(matrix.rows / 2);
  return subMatrix(matrix, begin, matrix.rows, 0, Math.min(begin + 1, matrix.cols));
}

/** The order that a kernel of `dState` generic states has at length T: min(N, ceil(T/2)). */
export function exactOrder(dState: number, seqLen: number): number {
  return Math.min(dState, Math.ceil(seqLen / 2));
}
