/** Random tensors and dropout from a position of the counter-based generator. */
import { ArgumentError } from '../../errors.js';
import type { DropoutArgs, PhiloxPosition, RandomArgs } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { expectInput, expectOutput } from '../../tensor-checks.js';
import { elementCount } from '../../tensor-like.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { philoxNormal, philoxUniform } from './philox.js';

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkRandom(op: string, args: RandomArgs): void {
  if (args.distribution !== 'uniform' && args.distribution !== 'normal') {
    throw new ArgumentError({
      op,
      argument: 'distribution',
      wanted: "'uniform' or 'normal'",
      got: String(args.distribution),
    });
  }
  expectPosition(op, args.generator);
  expectOutput(op, 'out', args.out);
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkDropout(op: string, args: DropoutArgs): void {
  expectInput(op, 'x', args.x);
  expectProbability(op, args.p);
  expectPosition(op, args.generator);
  expectOutput(op, 'out', args.out, { shape: args.x.shape });
}

/** Numbers of a distribution; see `philoxUniform` and `philoxNormal` for the rules. */
export function randomRef({
  distribution,
  generator,
  shape,
}: Omit<RandomArgs, 'out'> & { readonly shape: readonly number[] }): Float64Tensor {
  expectPosition('random', generator);
  const draw = distribution === 'uniform' ? philoxUniform : philoxNormal;
  return float64Tensor(draw(generator, elementCount(shape)), shape);
}

/** x / (1 - p) where the entry's uniform number is at least p, else 0; p in [0, 1). */
export function dropoutRef({ x, p, generator }: Omit<DropoutArgs, 'out'>): Float64Tensor {
  expectInput('dropout', 'x', x);
  expectProbability('dropout', p);
  expectPosition('dropout', generator);
  const values = loadFloat64('dropout', 'x', x);
  const uniform = philoxUniform(generator, values.length);
  const out = values.map((value, i) => ((uniform[i] as number) >= p ? value / (1 - p) : 0));
  return float64Tensor(out, x.shape);
}

function expectProbability(op: string, p: number): void {
  if (p >= 0 && p < 1) return;
  throw new ArgumentError({ op, argument: 'p', wanted: 'a probability in [0, 1)', got: String(p) });
}

function expectPosition(op: string, generator: PhiloxPosition): void {
  for (const field of ['seed', 'stream', 'offset'] as const) {
    const value = generator?.[field];
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new ArgumentError({
      op,
      argument: `generator.${field}`,
      wanted: 'an integer in [0, 2^53)',
      got: String(value),
    });
  }
}
