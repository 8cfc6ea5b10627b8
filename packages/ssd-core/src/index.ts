export * from './backend.js';
export * from './dtype.js';
export * from './errors.js';
export * from './half-floats.js';
export * from './kernels/dense-args.js';
export * from './kernels/ssm-args.js';
export * from './tensor-like.js';
