/** Functions of two tensors, entry by entry with NumPy broadcasting: out = a op b. */
import { broadcastShapes, broadcastView } from '../../broadcast.js';
import { ArgumentError } from '../../errors.js';
import type { BinaryArgs, BinaryOp } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { expectInput, expectOutput, realDTypes } from '../../tensor-checks.js';
import type { TensorLike } from '../../tensor-like.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';

const functions: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkBinary(op: string, args: BinaryArgs): void {
  const shape = checkOperands(op, args.op, args.a, args.b);
  expectOutput(op, 'out', args.out, { shape, dtypes: realDTypes });
}

/** a op b, of the broadcast shape; `maximum` and `minimum` hand NaN on. */
export function binaryRef({ op, a, b }: Omit<BinaryArgs, 'out'>): Float64Tensor {
  const shape = checkOperands('binary', op, a, b);
  const right = loadFloat64('binary', 'b', broadcastView('binary', 'b', b, shape));
  const left = loadFloat64('binary', 'a', broadcastView('binary', 'a', a, shape));
  const combine = functions[op];
  for (let i = 0; i < left.length; i++) left[i] = combine(left[i] as number, right[i] as number);
  return float64Tensor(left, shape);
}

function checkOperands(op: string, name: BinaryOp, a: TensorLike, b: TensorLike): number[] {
  if (!Object.hasOwn(functions, name)) {
    const wanted = `one of ${Object.keys(functions).join(', ')}`;
    throw new ArgumentError({ op, argument: 'op', wanted, got: String(name) });
  }
  expectInput(op, 'a', a, { dtypes: realDTypes });
  expectInput(op, 'b', b, { dtypes: realDTypes });
  return broadcastShapes(op, a.shape, b.shape);
}
