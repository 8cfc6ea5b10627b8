/** The experiments that come with this package. */
import { ExperimentRegistry } from '../experiment/registry.js';
import { mobyDick } from './moby-dick.js';
import { parity } from './parity.js';
import { ssdDualityExperiments } from './ssd-duality/experiments.js';
import { expSyntheticNdecay } from './synthetic-decays/exp-synthetic-ndecay.js';
import { trainExperiment } from './train-experiment.js';
import { wikitext2 } from './wikitext2.js';
import { wikitext2Comparison } from './wikitext2-comparison/wikitext2-comparison.js';

export const builtinExperiments = new ExperimentRegistry([
  mobyDick,
  wikitext2,
  ...ssdDualityExperiments,
  wikitext2Comparison,
  expSyntheticNdecay,
  parity,
  trainExperiment,
]);
