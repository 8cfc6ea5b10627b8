import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import type { UnaryOp } from '../../kernels/dense-args.js';
import { hostTensor, maxRelativeError, nnCase } from '../../testing/index.js';
import { scalarFunctions } from './functions.js';
import { unaryBackwardRef, unaryRef } from './unary.js';

const golden: readonly [name: string, op: UnaryOp][] = [
  ['gelu', 'gelu'],
  ['gelu-tanh', 'geluTanh'],
  ['softplus', 'softplus'],
  ['silu', 'silu'],
  ['sigmoid', 'sigmoid'],
  ['tanh', 'tanh'],
  ['relu', 'relu'],
  ['logsigmoid', 'logSigmoid'],
];

/** Math functions that say what an op is. */
const definitions: Partial<Record<UnaryOp, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  square: (x) => x * x,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
};

const scalar = (op: UnaryOp, x: number) => unaryRef({ op, x: hostTensor([x], [1]) }).data[0] as number;
const slope = (op: UnaryOp, x: number) =>
  unaryBackwardRef({ op, x: hostTensor([x], [1]), gradOut: hostTensor([1], [1]) }).data[0] as number;

describe('unary', () => {
  test.each(golden)('golden %s', (name, op) => {
    const { inputs, outputs } = nnCase(name);
    const out = unaryRef({ op, x: inputs.x! });
    const grad = unaryBackwardRef({ op, x: inputs.x!, gradOut: inputs.grad_y! });
    expect(maxRelativeError(out, outputs.y!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grad, outputs.grad_x!)).toBeLessThan(1e-12);
    expect(out.shape).toEqual(inputs.x!.shape);
  });

  test.each(Object.entries(definitions))('%s is the function of its name', (op, definition) => {
    for (const x of [0.1, 0.5, 1, 2.75]) expect(scalar(op as UnaryOp, x)).toBe(definition(x));
  });

  test.each(Object.keys(scalarFunctions) as UnaryOp[])('%s hands NaN on', (op) => {
    expect(scalar(op, Number.NaN)).toBeNaN();
  });

  test('softplus is linear above 20 and keeps the digits of small steps', () => {
    expect(scalar('softplus', 20)).toBe(Math.log1p(Math.exp(20)));
    expect(scalar('softplus', 20.000001)).toBe(20.000001);
    expect(slope('softplus', 20.000001)).toBe(1);
    expect(scalar('softplus', -40)).toBeCloseTo(Math.exp(-40), 30);
    expect(scalar('softplus', 800)).toBe(800);
  });

  test('nothing overflows far out', () => {
    for (const x of [-1e300, -800, 800, 1e300]) {
      for (const op of ['sigmoid', 'tanh', 'gelu', 'geluTanh', 'silu'] as const) {
        expect(scalar(op, x)).not.toBeNaN();
        expect(slope(op, x)).not.toBeNaN();
      }
    }
    expect(scalar('logSigmoid', -800)).toBe(-800);
    expect(slope('tanh', 25)).toBeGreaterThan(0);
  });

  test('corners: relu and abs have slope 0 at 0, sqrt an infinite one', () => {
    expect(slope('relu', 0)).toBe(0);
    expect(slope('abs', 0)).toBe(0);
    expect(slope('abs', -2)).toBe(-1);
    expect(slope('sqrt', 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test('refuses an unknown function and a gradient of another shape', () => {
    const x = hostTensor([1, 2], [2]);
    expect(() => unaryRef({ op: 'cube' as UnaryOp, x })).toThrow(ArgumentError);
    expect(() => unaryRef({ op: 'toString' as UnaryOp, x })).toThrow(/unary: op: expected one of neg/);
    expect(() => unaryBackwardRef({ op: 'exp', x, gradOut: hostTensor([1], [1]) })).toThrow(ShapeError);
  });
});
