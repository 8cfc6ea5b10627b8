/** Training samples of a language model: equally long pieces of a token sequence. */
import { ArgumentError } from '@statespace/ssd-core';

/** One batch, row-major. */
export interface TokenBatch {
  /** Number of samples, B. */
  readonly batch: number;
  readonly seqLen: number;
  /** (B, L) */
  readonly inputs: Int32Array;
  /** The token after each input, (B, L). */
  readonly targets: Int32Array;
  /** The token after the last input, (B): the target of last-position prediction. */
  readonly lastTargets: Int32Array;
}

/** All windows of a text, row-major, B = `count`. */
export interface TokenWindows extends Omit<TokenBatch, 'batch'> {
  readonly count: number;
  /** The samples of `indices`, in that order. */
  gather(indices: ArrayLike<number>): TokenBatch;
}

export interface TokenWindowsOptions {
  /** Inputs of one sample. */
  readonly seqLen: number;
  /** Keeps the first so many windows. Default: all. */
  readonly maxSamples?: number;
}

/**
 * Cuts `tokens` into disjoint slices of seqLen + 1 tokens: the first seqLen are inputs, the last seqLen targets. What
 * is left at the end is dropped.
 * @throws {ArgumentError} when a size is not a positive integer, or the text is shorter than one slice.
 */
export function tokenWindows(tokens: Int32Array, { seqLen, maxSamples }: TokenWindowsOptions): TokenWindows {
  expectPositive('seqLen', seqLen);
  if (maxSamples !== undefined) expectPositive('maxSamples', maxSamples);
  const slice = seqLen + 1;
  const available = Math.floor(tokens.length / slice);
  if (available === 0) {
    throw new ArgumentError({
      op: 'tokenWindows',
      argument: 'tokens',
      wanted: `at least seqLen + 1 = ${slice} tokens`,
      got: String(tokens.length),
    });
  }
  const count = Math.min(available, maxSamples ?? available);
  const inputs = new Int32Array(count * seqLen);
  const targets = new Int32Array(count * seqLen);
  const lastTargets = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * slice;
    inputs.set(tokens.subarray(start, start + seqLen), i * seqLen);
    targets.set(tokens.subarray(start + 1, start + slice), i * seqLen);
    lastTargets[i] = tokens[start + seqLen] as number;
  }
  const windows = { count, seqLen, inputs, targets, lastTargets };
  return { ...windows, gather: (indices) => gatherRows(windows, indices) };
}

function gatherRows(windows: Omit<TokenWindows, 'gather'>, indices: ArrayLike<number>): TokenBatch {
  const { count, seqLen } = windows;
  const batch = indices.length;
  const inputs = new Int32Array(batch * seqLen);
  const targets = new Int32Array(batch * seqLen);
  const lastTargets = new Int32Array(batch);
  for (let row = 0; row < batch; row++) {
    const index = indices[row] as number;
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new ArgumentError({
        op: 'tokenWindows.gather',
        argument: 'indices',
        wanted: `integers from 0 to ${count - 1}`,
        got: String(index),
      });
    }
    const start = index * seqLen;
    inputs.set(windows.inputs.subarray(start, start + seqLen), row * seqLen);
    targets.set(windows.targets.subarray(start, start + seqLen), row * seqLen);
    lastTargets[row] = windows.lastTargets[index] as number;
  }
  return { batch, seqLen, inputs, targets, lastTargets };
}

function expectPositive(argument: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new ArgumentError({ op: 'tokenWindows', argument, wanted: 'a positive integer', got: String(value) });
}
