/** What `--only` chooses, known before anything is built or measured. */
import { featureCases, plainCalls } from './features/index.mjs';
import { kernelCases } from './kernels/index.mjs';
import { longNames } from './long-sequences.mjs';
import { cases } from './peers/cases.mjs';

/**
 * Whatever has `text` in the name of its group or in its own, in upper or lower case; '' chooses everything. A case beside
 * other libraries is also chosen with the rows of our own that it stands beside.
 */
export function choose(text) {
  const wanted = text.toLowerCase();
  const has = (name) => name.toLowerCase().includes(wanted);
  const within = (group, names) => names.filter((name) => has(`${group}: ${name}`));
  const kernels = within(
    'kernels',
    kernelCases.map(({ kernel }) => kernel),
  );
  return {
    kernels,
    // Their names are known only to the program that measures them.
    products: within('matrix products', ['gemm']),
    features: within(
      'features',
      featureCases.map(({ name }) => name),
    ),
    featuresOff: within('features switched off', plainCalls),
    longSequences: within('long sequences', longNames),
    cases: Object.entries(cases)
      .filter(([name, { rows }]) => [name, ...rows].some(has))
      .map(([name]) => name),
  };
}
