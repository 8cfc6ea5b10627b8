/** Helpers of the tests of all packages. Not published. */
export * from './arrays.js';
export * from './finite-differences.js';
export * from './golden.js';
export * from './random.js';
