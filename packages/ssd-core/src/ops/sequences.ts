/** Where the sequences of a call lie in its batch: index inputs are copied first, then checked, then used. */
import { ArgumentError, ShapeError } from '../errors.js';
import type { SequenceOptions } from '../kernels/ssm-args.js';
import { loadContiguous } from '../reference/views.js';
import { expectInput, expectRank, indexDTypes } from '../tensor-checks.js';
import { formatShape, type TensorLike } from '../tensor-like.js';

/** Steps [start, end) of one batch row, in the order of memory. */
export interface StepRange {
  readonly row: number;
  readonly start: number;
  readonly end: number;
}

/** One run of steps that share a state. */
export interface SequenceSpan extends StepRange {
  /** Row of the states it starts from; -1: from zero. */
  readonly initial: number;
  /** Row of the states that its last state goes to; -1: to none. */
  readonly final: number;
}

/** Spans and padding together cover every row; each row of the states begins and ends one span. */
export interface Sequences {
  readonly spans: readonly SequenceSpan[];
  readonly padding: readonly StepRange[];
}

type IndexInput = 'cuSeqlens' | 'seqIdx' | 'lengths';

const indexInputs: readonly IndexInput[] = ['cuSeqlens', 'seqIdx', 'lengths'];

/** The index input that is given. @throws {ArgumentError} when more than one is, or `reverse` is no boolean. */
function givenInput(op: string, options: SequenceOptions): IndexInput | undefined {
  const { reverse } = options;
  if (reverse !== undefined && typeof reverse !== 'boolean') {
    throw new ArgumentError({ op, argument: 'reverse', wanted: 'true or false', got: String(reverse) });
  }
  const given = indexInputs.filter((name) => options[name] !== undefined);
  if (given.length > 1) {
    throw new ArgumentError({
      op,
      argument: given[1] as string,
      wanted: 'one of cuSeqlens, seqIdx and lengths',
      got: given.join(' and '),
    });
  }
  return given[0];
}

/**
 * Rows of the state tensors: one per batch row, or one per sequence of `cuSeqlens`.
 * @throws {ShapeError} unless `cuSeqlens` is (S + 1) and the batch is one packed row, `seqIdx` is (B, L), `lengths` (B).
 * @throws {DTypeError | ArgumentError}
 */
export function stateRows(op: string, batch: number, seqLen: number, options: SequenceOptions): number {
  const name = givenInput(op, options);
  if (name === undefined) return batch;
  const tensor = options[name] as TensorLike;
  if (name !== 'cuSeqlens') {
    const shape = name === 'seqIdx' ? [batch, seqLen] : [batch];
    const letters = name === 'seqIdx' ? '(B, L)' : '(B)';
    expectInput(op, name, tensor, { dtypes: indexDTypes, shape, letters });
    return batch;
  }
  expectInput(op, name, tensor, { dtypes: indexDTypes });
  expectRank(op, name, tensor, 1, '(S + 1)');
  const entries = tensor.shape[0] as number;
  if (entries < 1) {
    throw new ShapeError({
      op,
      argument: name,
      wanted: 'S + 1 >= 1 entries',
      got: formatShape(tensor.shape),
    });
  }
  if (batch !== 1) {
    throw new ShapeError({ op, argument: name, wanted: 'one packed row, batch 1', got: `batch ${batch}` });
  }
  return entries - 1;
}

/**
 * The sequences of a call whose shapes have been checked.
 * @throws {ArgumentError} naming the first entry of an index input that does not fit.
 */
export function readSequences(
  op: string,
  { batch, seqLen }: { readonly batch: number; readonly seqLen: number },
  options: SequenceOptions,
): Sequences {
  const name = givenInput(op, options);
  if (name === undefined) return wholeRows(batch, seqLen);
  const indices = loadContiguous(op, name, options[name] as TensorLike) as Int32Array;
  if (name === 'cuSeqlens') return packedSequences(op, indices, seqLen);
  if (name === 'lengths') return leadingSteps(op, indices, seqLen);
  return runsOfIds(indices, batch, seqLen, options.reverse ?? false);
}

function wholeRows(batch: number, seqLen: number): Sequences {
  const spans = Array.from({ length: batch }, (_, b) => wholeSpan(b, 0, seqLen, b));
  return { spans, padding: [] };
}

function wholeSpan(row: number, start: number, end: number, state: number): SequenceSpan {
  return { row, start, end, initial: state, final: state };
}

/** Boundaries start at 0, never decrease and end at `seqLen`. Empty sequences stay in the list. */
function packedSequences(op: string, bounds: Int32Array, seqLen: number): Sequences {
  const refuse = (position: number, wanted: string): never => {
    throw new ArgumentError({
      op,
      argument: `cuSeqlens[${position}]`,
      wanted,
      got: String(bounds[position]),
    });
  };
  if (bounds[0] !== 0) refuse(0, '0');
  const spans: SequenceSpan[] = [];
  for (let s = 1; s < bounds.length; s++) {
    const before = bounds[s - 1] as number;
    if ((bounds[s] as number) < before) refuse(s, `at least ${before}, the entry before it`);
    spans.push(wholeSpan(0, before, bounds[s] as number, s - 1));
  }
  if (bounds[bounds.length - 1] !== seqLen) refuse(bounds.length - 1, `seqLen = ${seqLen}`);
  return { spans, padding: [] };
}

function leadingSteps(op: string, lengths: Int32Array, seqLen: number): Sequences {
  const spans: SequenceSpan[] = [];
  const padding: StepRange[] = [];
  lengths.forEach((length, row) => {
    if (length < 0 || length > seqLen) {
      throw new ArgumentError({
        op,
        argument: `lengths[${row}]`,
        wanted: `0 to seqLen = ${seqLen}`,
        got: String(length),
      });
    }
    spans.push(wholeSpan(row, 0, length, row));
    if (length < seqLen) padding.push({ row, start: length, end: seqLen });
  });
  return { spans, padding };
}

/** Runs of equal ids; negative ids are padding. In walking order the first run of a row takes its initial state. */
function runsOfIds(ids: Int32Array, batch: number, seqLen: number, reverse: boolean): Sequences {
  const spans: SequenceSpan[] = [];
  const padding: StepRange[] = [];
  for (let row = 0; row < batch; row++) {
    const id = (t: number) => Math.max(ids[row * seqLen + t] as number, -1);
    const runs: StepRange[] = [];
    for (let start = 0, end = 0; start < seqLen; start = end) {
      for (end = start + 1; end < seqLen && id(end) === id(start); ) end++;
      (id(start) < 0 ? padding : runs).push({ row, start, end });
    }
    // A row without sequences still hands its state on.
    if (runs.length === 0) runs.push({ row, start: 0, end: 0 });
    const first = reverse ? runs.length - 1 : 0;
    const last = runs.length - 1 - first;
    for (const [i, run] of runs.entries()) {
      spans.push({ ...run, initial: i === first ? row : -1, final: i === last ? row : -1 });
    }
  }
  return { spans, padding };
}

/**
 * `sequences` as the walk sees them: with `reverse`, on a time axis that runs backwards from the last step.
 */
export function inWalkingOrder({ spans, padding }: Sequences, seqLen: number, reverse: boolean): Sequences {
  if (!reverse) return { spans, padding };
  const mirrored = <T extends StepRange>(range: T): T => ({
    ...range,
    start: seqLen - range.end,
    end: seqLen - range.start,
  });
  return { spans: spans.map(mirrored), padding: padding.map(mirrored) };
}

/** Sets the rows of padding of (B, L, width) numbers to 0, in place, whatever they hold. */
export function clearPadding(
  values: Float64Array,
  padding: readonly StepRange[],
  seqLen: number,
  width: number,
): Float64Array {
  for (const { row, start, end } of padding) {
    values.fill(0, (row * seqLen + start) * width, (row * seqLen + end) * width);
  }
  return values;
}
