/** Shapes of RMSNorm. */
import { ArgumentError, ShapeError } from '../../errors.js';
import type { RmsNormArgs, RmsNormBackwardArgs, RmsNormInputs } from '../../kernels/dense-args.js';
import { expectInput, expectOutput, lastAxis } from '../../tensor-checks.js';
import { elementCount } from '../../tensor-like.js';

/** x as (rows, dim), each row in groups of `groupSize`. */
export interface RmsNormDims {
  readonly rows: number;
  readonly dim: number;
  readonly groupSize: number;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkRmsNorm(op: string, args: RmsNormArgs): RmsNormDims {
  const dims = checkRmsNormInputs(op, args);
  expectOutput(op, 'out', args.out, { shape: args.x.shape });
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkRmsNormBackward(op: string, args: RmsNormBackwardArgs): RmsNormDims {
  const dims = checkRmsNormInputs(op, args);
  const { shape } = args.x;
  expectInput(op, 'gradOut', args.gradOut, { shape });
  if (args.gradX !== undefined) expectOutput(op, 'gradX', args.gradX, { shape });
  if (args.gradWeight !== undefined) {
    expectOutput(op, 'gradWeight', args.gradWeight, { shape: [dims.dim], letters: '(D)' });
  }
  if (args.gradGate !== undefined) {
    if (args.gate === undefined) {
      throw new ArgumentError({ op, argument: 'gradGate', wanted: 'a gate to go with it', got: 'none' });
    }
    expectOutput(op, 'gradGate', args.gradGate, { shape });
  }
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkRmsNormInputs(op: string, inputs: RmsNormInputs): RmsNormDims {
  const { x, weight, gate, eps } = inputs;
  expectInput(op, 'x', x);
  const dim = lastAxis(op, 'x', x);
  const { groupSize = dim } = inputs;
  expectInput(op, 'weight', weight, { shape: [dim], letters: '(D)' });
  if (gate !== undefined) expectInput(op, 'gate', gate, { shape: x.shape });
  else if (inputs.gateAfterNorm) {
    throw new ArgumentError({ op, argument: 'gateAfterNorm', wanted: 'a gate to go with it', got: 'none' });
  }
  const whole = Number.isInteger(groupSize) && groupSize >= 1 && dim % groupSize === 0;
  if (!whole && !(dim === 0 && groupSize === 0)) {
    const wanted = `a divisor of the last axis, ${dim}`;
    throw new ShapeError({ op, argument: 'groupSize', wanted, got: String(groupSize) });
  }
  expectEps(op, eps);
  return { rows: elementCount(x.shape.slice(0, -1)), dim, groupSize };
}

/** @throws {ArgumentError} unless `eps` is a number of 0 or more. */
export function expectEps(op: string, eps: number): void {
  if (typeof eps === 'number' && eps >= 0) return;
  throw new ArgumentError({ op, argument: 'eps', wanted: 'a number of 0 or more', got: String(eps) });
}
