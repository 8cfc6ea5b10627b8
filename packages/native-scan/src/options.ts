/** Reads the options object of a public call, once. */
import { ArgumentError, nearest, type TensorLike } from '@statespace/ssd-core';

/** What every sequence op takes beside its own inputs. */
export const sequenceKeys = ['cuSeqlens', 'seqIdx', 'lengths', 'reverse'] as const;

/** What every call takes; asynchronous ones take a `signal` as well. */
export const callKeys = ['backend', 'layout'] as const;

/**
 * A copy of `given` that nobody else can change: every option, and every field of a tensor, is read once, so that what has
 * been checked is what is used. The numbers of the tensors stay where they are.
 * @throws {ArgumentError} for something that is no object, and for a key that is not in `known`, with the nearest one.
 */
export function readOptions<Options extends object>(
  op: string,
  given: Options,
  known: readonly string[],
): Options {
  if (typeof given !== 'object' || given === null) {
    throw new ArgumentError({ op, argument: 'options', wanted: 'an object', got: String(given) });
  }
  const options = { ...given } as Record<string, unknown>;
  const allowed = op.endsWith('Async') ? [...known, 'signal'] : known;
  for (const key of Object.keys(options)) {
    if (!allowed.includes(key)) throw unknownKey(op, key, allowed);
    const value = options[key];
    if (isTensor(value)) options[key] = ownTensor(value);
  }
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError({ op, argument: 'signal', wanted: 'an AbortSignal', got: typeof signal });
  }
  return options as Options;
}

function isTensor(value: unknown): value is TensorLike {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}

function ownTensor(tensor: TensorLike): TensorLike {
  const { data, shape, strides, offset, dtype } = tensor;
  const own: { -readonly [Key in keyof TensorLike]: TensorLike[Key] } = { data, shape: ownList(shape) };
  if (strides !== undefined) own.strides = ownList(strides);
  if (offset !== undefined) own.offset = offset;
  if (dtype !== undefined) own.dtype = dtype;
  return own;
}

/** A list as an array of its own; anything else as it is, for the checks to refuse. */
function ownList(list: readonly number[]): readonly number[] {
  return Array.isArray(list) ? [...list] : list;
}

function unknownKey(op: string, key: string, known: readonly string[]): ArgumentError {
  const near = nearest(key, known);
  return new ArgumentError({
    op,
    argument: key,
    wanted: near === undefined ? `one of ${known.join(', ')}` : `a known option, perhaps ${near}`,
    got: 'an unknown one',
  });
}
