/** Functions of one tensor, entry by entry: out = f(x). */
import { ArgumentError } from '../../errors.js';
import type { UnaryArgs, UnaryBackwardArgs, UnaryOp } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { expectInput, expectOutput } from '../../tensor-checks.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { scalarFunctions } from './functions.js';

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkUnary(op: string, args: UnaryArgs): void {
  expectUnaryOp(op, args.op);
  expectInput(op, 'x', args.x);
  expectOutput(op, 'out', args.out, { shape: args.x.shape });
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkUnaryBackward(op: string, args: UnaryBackwardArgs): void {
  expectUnaryOp(op, args.op);
  const { shape } = args.x;
  expectInput(op, 'x', args.x);
  expectInput(op, 'gradOut', args.gradOut, { shape });
  expectOutput(op, 'gradX', args.gradX, { shape });
}

/** f(x) for each entry of `x`, any shape. */
export function unaryRef({ op, x }: Omit<UnaryArgs, 'out'>): Float64Tensor {
  expectUnaryOp('unary', op);
  const { value } = scalarFunctions[op];
  return float64Tensor(loadFloat64('unary', 'x', x).map(value), x.shape);
}

/** gradOut * f'(x) for each entry; `x` and `gradOut` have one shape. */
export function unaryBackwardRef({ op, x, gradOut }: Omit<UnaryBackwardArgs, 'gradX'>): Float64Tensor {
  expectUnaryOp('unaryBackward', op);
  expectInput('unaryBackward', 'gradOut', gradOut, { shape: x.shape });
  const { derivative } = scalarFunctions[op];
  const upstream = loadFloat64('unaryBackward', 'gradOut', gradOut);
  const grad = loadFloat64('unaryBackward', 'x', x).map(
    (value, i) => (upstream[i] as number) * derivative(value),
  );
  return float64Tensor(grad, x.shape);
}

function expectUnaryOp(op: string, name: UnaryOp): void {
  if (Object.hasOwn(scalarFunctions, name)) return;
  const wanted = `one of ${Object.keys(scalarFunctions).join(', ')}`;
  throw new ArgumentError({ op, argument: 'op', wanted, got: String(name) });
}
