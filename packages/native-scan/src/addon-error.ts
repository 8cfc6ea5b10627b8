/** Turns the integer codes of binding/refusal.h into exceptions. */
import {
  AbortedError,
  ArgumentError,
  DisposedError,
  DTypeError,
  OutOfMemoryError,
  ShapeError,
  type StatespaceError,
} from '@statespace/ssd-core';

/** The low byte of a code; the same list as arguments/refusal.h. */
export const refusal = {
  missing: 1,
  wrongType: 2,
  outOfRange: 3,
  badNumber: 4,
  overlap: 5,
  outOfMemory: 6,
  misaligned: 7,
  cancelled: 8,
  outputLost: 9,
  noExternalBuffers: 10,
  kernelBadArgument: 17,
  kernelOutOfMemory: 18,
  kernelIndexOutOfRange: 19,
  kernelUnsupported: 20,
} as const;

/** The reason inside `code`. */
export function refusalReason(code: number): number {
  return code & 0xff;
}

/** The exception for a code other than 0; `names` are the array arguments in order. */
export function addonError(op: string, code: number, names: readonly string[]): StatespaceError {
  const argument = names[(code >> 8) - 1];
  const at = argument === undefined ? { op } : { op, argument };
  switch (refusalReason(code)) {
    case refusal.missing:
      return new ArgumentError({ ...at, wanted: 'an array', got: 'nothing' });
    case refusal.wrongType:
      return new DTypeError({ ...at, wanted: 'a typed array of the right kind', got: 'something else' });
    case refusal.outOfRange:
      return new ShapeError({
        ...at,
        wanted: 'memory that holds the whole tensor',
        got: 'an array that is too short, shrunk or detached',
      });
    case refusal.badNumber:
    case refusal.kernelBadArgument:
    case refusal.kernelIndexOutOfRange:
      return new ArgumentError({ ...at, wanted: 'numbers inside their range', got: 'one outside' });
    case refusal.overlap:
      return new ArgumentError({
        ...at,
        wanted: 'memory of its own',
        got: 'memory that it shares with another argument',
      });
    case refusal.outOfMemory:
    case refusal.kernelOutOfMemory:
      return new OutOfMemoryError(at);
    case refusal.misaligned:
      return new ArgumentError({
        ...at,
        wanted: 'memory aligned to its element size',
        got: 'another address',
      });
    case refusal.cancelled:
      return new AbortedError(at);
    case refusal.outputLost:
      return new DisposedError({ ...at, got: 'an output that was detached or shrunk during the call' });
    default:
      return new ArgumentError({ ...at, got: `code ${code} from the addon` });
  }
}
