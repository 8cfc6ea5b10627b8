/** The experiments of the SSD-duality paper, in its order, and those added to them. */
import type { Experiment } from '../../experiment/define.js';
import { dualConditionExperiment } from './dual-condition.js';
import { exp1ScalarEquivalence } from './exp1-scalar-equivalence.js';
import { exp2DiagonalEquivalence } from './exp2-diagonal-equivalence.js';
import { exp2bTimevaryingDiagonal } from './exp2b-timevarying-diagonal.js';
import { exp3RankVsStateDim } from './exp3-rank-vs-state-dim.js';
import { exp3bRankVsStateDim } from './exp3b-rank-vs-state-dim.js';
import { exp4TimeScaling } from './exp4-time-scaling.js';
import { exp4bTimeScalingErrorbars } from './exp4b-time-scaling-errorbars.js';
import { exp5SoftmaxRankGrowth } from './exp5-softmax-rank-growth.js';
import { exp5bRankGrowth } from './exp5b-rank-growth.js';
import { precisionStudy } from './precision-study.js';

export const ssdDualityExperiments: readonly Experiment[] = [
  exp1ScalarEquivalence,
  exp2DiagonalEquivalence,
  exp2bTimevaryingDiagonal,
  exp3RankVsStateDim,
  exp3bRankVsStateDim,
  dualConditionExperiment,
  exp4TimeScaling,
  exp4bTimeScalingErrorbars,
  exp5SoftmaxRankGrowth,
  exp5bRankGrowth,
  precisionStudy,
];
