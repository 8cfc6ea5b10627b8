/** Error classes of all packages: each names the op, the argument, what was wanted and what came. */

const mark = Symbol.for('@statespace/error');

/** Stable machine-readable reasons; they do not change with the wording of a message. */
export type StatespaceErrorCode =
  | 'ERR_SHAPE'
  | 'ERR_DTYPE'
  | 'ERR_ARGUMENT'
  | 'ERR_DISPOSED'
  | 'ERR_BACKEND_UNAVAILABLE'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_NON_FINITE'
  | 'ERR_FORMAT'
  | 'ERR_CHECKPOINT'
  | 'ERR_CONFIG'
  | 'ERR_DATA'
  | 'ERR_IO'
  | 'ERR_ABORTED';

/** What every error of this project tells: where it happened, and wanted against got. */
export interface ErrorDetails {
  /** The public function that refused. */
  readonly op: string;
  /** The argument, parameter, file or key at fault. */
  readonly argument?: string;
  readonly wanted?: string;
  readonly got?: string;
  /** What to do about it, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Base class. `instanceof` also holds for instances of another installed copy of this package. */
export class StatespaceError extends Error {
  readonly code: StatespaceErrorCode;
  readonly op: string;
  readonly argument: string | undefined;

  constructor(code: StatespaceErrorCode, details: ErrorDetails) {
    super(formatMessage(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.op = details.op;
    this.argument = details.argument;
    Object.defineProperty(this, mark, { value: code });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if (this === StatespaceError) return mark in value;
    return (
      Function.prototype[Symbol.hasInstance].call(this, value) ||
      (mark in value && (value as { name?: unknown }).name === this.name)
    );
  }
}

function formatMessage({ op, argument, wanted, got, hint }: ErrorDetails): string {
  const parts = [argument === undefined ? op : `${op}: ${argument}`];
  if (wanted !== undefined) parts.push(`expected ${wanted}`);
  if (got !== undefined) parts.push(`got ${got}`);
  const head = parts.length > 1 ? `${parts[0]}: ${parts.slice(1).join(', ')}` : (parts[0] as string);
  return hint === undefined ? head : `${head}. ${hint}`;
}

/** A shape, length or stride does not fit. */
export class ShapeError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_SHAPE', details);
  }
}

/** A number format is not the one the op takes. */
export class DTypeError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_DTYPE', details);
  }
}

/** An option has a value outside its range. */
export class ArgumentError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_ARGUMENT', details);
  }
}

/** A tensor or buffer was used after `dispose()`, or its ArrayBuffer was detached. */
export class DisposedError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_DISPOSED', details);
  }
}

/** A backend was asked for by name and cannot be had; the message lists every attempt. */
export class BackendUnavailableError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_BACKEND_UNAVAILABLE', details);
  }
}

/** Memory for a result could not be had. */
export class OutOfMemoryError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_OUT_OF_MEMORY', details);
  }
}

/** A loss, gradient or parameter is NaN or infinite. */
export class NonFiniteError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_NON_FINITE', details);
  }
}

/** A file is not what its format says. */
export class FormatError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_FORMAT', details);
  }
}

/** A checkpoint is damaged, or belongs to another model. */
export class CheckpointError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_CHECKPOINT', details);
  }
}

/** A configuration has an unknown key or a value that does not fit. */
export class ConfigError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_CONFIG', details);
  }
}

/** A dataset is missing, incomplete or not the expected bytes. */
export class DataError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_DATA', details);
  }
}

/** Reading or writing failed: no space, no permission, no such file. */
export class IoError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_IO', details);
  }
}

/** An `AbortSignal` stopped the call. */
export class AbortedError extends StatespaceError {
  constructor(details: ErrorDetails) {
    super('ERR_ABORTED', details);
  }
}
