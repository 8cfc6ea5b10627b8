/** Helpers of the tests of all packages. Not published. */
export * from './any-view.js';
export * from './arrays.js';
export * from './finite-differences.js';
export * from './golden.js';
export * from './nn-cases.js';
export * from './random.js';
export * from './refusals.js';
export * from './sequence-ops.js';
export * from './ssm-cases.js';
export * from './ssm-inputs.js';
export * from './strided.js';
export * from './structure-cases.js';
