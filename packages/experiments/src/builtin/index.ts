/** The experiments that come with this package. */
import { ExperimentRegistry } from '../experiment/registry.js';
import { mobyDick } from './moby-dick.js';
import { parity } from './parity.js';
import { trainExperiment } from './train-experiment.js';
import { wikitext2 } from './wikitext2.js';

export const builtinExperiments = new ExperimentRegistry([mobyDick, wikitext2, parity, trainExperiment]);
