/** The experiments that come with this package. */
import { ExperimentRegistry } from '../experiment/registry.js';
import { mobyDick } from './moby-dick.js';
import { parity } from './parity.js';
import { exp4TimeScaling } from './ssd-duality/exp4-time-scaling.js';
import { exp4bTimeScalingErrorbars } from './ssd-duality/exp4b-time-scaling-errorbars.js';
import { exp5SoftmaxRankGrowth } from './ssd-duality/exp5-softmax-rank-growth.js';
import { exp5bRankGrowth } from './ssd-duality/exp5b-rank-growth.js';
import { precisionStudy } from './ssd-duality/precision-study.js';
import { expSyntheticNdecay } from './synthetic-decays/exp-synthetic-ndecay.js';
import { trainExperiment } from './train-experiment.js';
import { wikitext2 } from './wikitext2.js';
import { wikitext2Comparison } from './wikitext2-comparison/wikitext2-comparison.js';

export const builtinExperiments = new ExperimentRegistry([
  mobyDick,
  wikitext2,
  wikitext2Comparison,
  expSyntheticNdecay,
  parity,
  trainExperiment,
  exp4TimeScaling,
  exp4bTimeScalingErrorbars,
  exp5SoftmaxRankGrowth,
  exp5bRankGrowth,
  precisionStudy,
]);
