/** Stops a training whose numbers are no numbers any more, and says where. */
import { NonFiniteError } from '@statespace/ssd-core';
import { findNonFinite, type NamedParameters } from '@statespace/tensor';

/**
 * @param norm norm of all gradients together, before this step's update
 * @throws {NonFiniteError} naming the step and the first parameter whose value or gradient is NaN or infinite.
 */
export function expectFinite(step: number, norm: number, parameters: NamedParameters): void {
  if (Number.isFinite(norm)) return;
  const found = findNonFinite(parameters);
  const where = found === undefined ? 'norm of all gradients' : `${found.what} of parameter ${found.name}`;
  throw new NonFiniteError({
    op: 'train',
    argument: `step ${step}, ${where}`,
    wanted: 'finite numbers',
    got: found === undefined ? String(norm) : 'NaN or Infinity',
    hint: 'This step changed no weights and no file; a lower optimizer.lr or an optimizer.clipNorm often helps',
  });
}
