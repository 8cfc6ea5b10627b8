/** What is claimed: one decay cannot fit two, and as many as the data have fit them and find them. */
import type { Check } from '../../experiment/result.js';
import { bestSingleDecay } from './floors.js';
import type { DecayParams } from './params.js';
import type { SeriesRow } from './run-row.js';

/** A held-out error may fall this far below the expected one by the luck of the sequences. */
const luck = 0.9;
/** What an exact model may leave over: far below any model with a decay too few, far above the noise. */
const exactError = 1e-4;
const decayTolerance = 1e-2;

/** The claims about the linear model's rows; blocks are reported alone. */
export function decayChecks(rows: readonly SeriesRow[], params: DecayParams): Check[] {
  const linear = rows.filter(({ decays }) => decays !== undefined);
  const count = params.lambdas.length;
  const enough = linear.filter(({ N }) => N >= count);
  const single = count > 1 ? linear.filter(({ N }) => N === 1) : [];
  return [
    ...single.map((row) => cannotFit(row, params)),
    ...enough.map((row) => fits(row, params)),
    ...enough.filter(({ N }) => N === count).map((row) => finds(row, params)),
  ];
}

function cannotFit({ final_val_mse: found }: SeriesRow, params: DecayParams): Check {
  const { error, decay } = bestSingleDecay(params);
  const bound = luck * error;
  return {
    claim: `with N = 1 the error stays above ${bound.toPrecision(3)}, 0.9 of the best single decay's (${decay.toFixed(3)})`,
    passed: found >= bound,
    found: found.toPrecision(4),
  };
}

function fits({ N, final_val_mse: found }: SeriesRow, { noiseStd }: DecayParams): Check {
  const bound = Math.max(exactError, 2 * noiseStd * noiseStd);
  return {
    claim: `with N = ${N} the error falls to ${bound.toExponential(0)} or below`,
    passed: found <= bound,
    found: found.toExponential(2),
  };
}

function finds({ N, decays = [] }: SeriesRow, { lambdas }: DecayParams): Check {
  const wanted = [...lambdas].sort((a, b) => b - a);
  const worst = Math.max(...wanted.map((lambda, j) => Math.abs(lambda - (decays[j] ?? Number.NaN))));
  return {
    claim: `with N = ${N} the decays ${wanted.join(', ')} are found to within ${decayTolerance}`,
    passed: worst <= decayTolerance,
    found: decays.map((decay) => decay.toFixed(5)).join(', '),
  };
}
