/** Where the sequences of a call lie, as binding/sequences.h takes it. */
import { readSequences, type SequenceOptions } from '@statespace/ssd-core';
import type { NativeCall } from '../native-call.js';

interface SequenceDims {
  readonly batch: number;
  readonly seqLen: number;
  readonly stateRows: number;
}

/** Positions in `enum class SequenceKind` of binding/sequences.h. */
function kindOf({ cuSeqlens, seqIdx, lengths }: SequenceOptions): number {
  if (cuSeqlens !== undefined) return 1;
  if (seqIdx !== undefined) return 2;
  return lengths === undefined ? 0 : 3;
}

/** The numbers; tensors with a length that come after them run in the direction of the walk. */
export function addSequenceNumbers(
  call: NativeCall,
  { stateRows }: SequenceDims,
  options: SequenceOptions,
): NativeCall {
  return call
    .number(kindOf(options))
    .flag(options.reverse)
    .number(options.cuSeqlens === undefined ? 0 : stateRows)
    .mirrored(options.reverse);
}

/** The index array. */
export function addSequenceIndices(
  call: NativeCall,
  { cuSeqlens, seqIdx, lengths }: SequenceOptions,
): NativeCall {
  const name = cuSeqlens !== undefined ? 'cuSeqlens' : seqIdx !== undefined ? 'seqIdx' : 'lengths';
  return call.indices(name, cuSeqlens ?? seqIdx ?? lengths);
}

/** Throws a message that names the index at fault, where the addon can only say that there is one. */
export function sequenceExplainer(op: string, dims: SequenceDims, options: SequenceOptions): () => void {
  return () => {
    readSequences(op, dims, options);
  };
}
