import { expect, test } from 'vitest';
import type { UnaryOp } from '../../kernels/dense-args.js';
import { dot, finiteDifferenceGradient, maxRelativeError, randomSource } from '../../testing/index.js';
import { scalarFunctions } from './functions.js';
import { unaryBackwardRef, unaryRef } from './unary.js';

const positiveOnly: ReadonlySet<UnaryOp> = new Set(['sqrt', 'rsqrt', 'reciprocal', 'log', 'log1p']);
/** Finite differences must not straddle the corner of these. */
const cornerAtZero: ReadonlySet<UnaryOp> = new Set(['abs', 'relu']);

test.each(Object.keys(scalarFunctions) as UnaryOp[])('%s: gradient equals finite differences', (op) => {
  const random = randomSource(7);
  const x = random.uniform([3, 9], positiveOnly.has(op) ? 0.5 : -3, 3);
  if (cornerAtZero.has(op)) x.data.set(x.data.map((value) => value + Math.sign(value) * 0.1));
  const upstream = random.normal([3, 9]);
  const loss = () => dot(unaryRef({ op, x }).data, upstream.data);
  const numeric = finiteDifferenceGradient(loss, x.data, 1e-3);
  expect(maxRelativeError(unaryBackwardRef({ op, x, gradOut: upstream }), numeric)).toBeLessThan(1e-9);
});
