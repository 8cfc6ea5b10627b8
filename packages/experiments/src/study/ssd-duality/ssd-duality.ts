/** The study of the SSD-duality paper. */
import { ssdDualityExperiments } from '../../builtin/ssd-duality/experiments.js';
import type { Study } from '../study.js';
import { companions } from './companions.js';
import { corrections } from './corrections.js';

export const ssdDuality: Study = {
  name: 'ssd-duality',
  title: 'On Structured State-Space Duality',
  paper: 'Hu, Zhang, ElSheikh, Wu and Liu 2025, arXiv:2510.04944',
  experiments: ssdDualityExperiments,
  corrections,
  companions,
};

/** All studies that can be reproduced. */
export const studies: readonly Study[] = [ssdDuality];
