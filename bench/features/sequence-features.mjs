/** Features that every family has: where sequences begin and end, their direction, order and format. */
import { filledLike } from '../inputs.mjs';

/** `sequence` names the family's tensors of (B, L, ...). */
export function sequenceFeatures({ batch, seqLen, sequence }) {
  const isSequence = (name) => name === 'out' || sequence.includes(name);
  const lengths = { data: new Int32Array(batch).fill(seqLen), shape: [batch] };
  const quarters = Int32Array.from({ length: batch * seqLen }, (_, i) =>
    Math.floor((4 * (i % seqLen)) / seqLen),
  );
  const starts = Int32Array.from({ length: batch + 1 }, (_, i) => i * seqLen);
  return {
    lengths: { change: (args) => ({ ...args, lengths }) },
    seqIdx: { change: (args) => ({ ...args, seqIdx: { data: quarters, shape: [batch, seqLen] } }) },
    cuSeqlens: {
      change: (args) => ({
        ...changeTensors(args, isSequence, (tensor) => ({ ...tensor, shape: inOneRow(tensor.shape) })),
        cuSeqlens: { data: starts, shape: [batch + 1] },
      }),
    },
    reverse: { change: (args) => ({ ...args, reverse: true }) },
    'layout bdl': {
      moves: true,
      change: (args, inputs) => ({
        ...changeTensors(args, isSequence, ({ shape }) => inputs.uniform(lengthLast(shape), -1, 0)),
        layout: 'bdl',
      }),
    },
    bf16: storedAs('bf16', isSequence),
    f16: storedAs('f16', isSequence),
  };
}

/** Sequence tensors in a format of 16 bits. */
const storedAs = (dtype, isSequence) => ({
  moves: true,
  change: (args, inputs) =>
    changeTensors(args, isSequence, ({ shape }) => filledLike(inputs, { shape, dtype })),
});

const changeTensors = (args, chosen, change) =>
  Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, chosen(name) ? change(value) : value]),
  );

const lengthLast = ([batch, seqLen, ...rest]) => [batch, ...rest, seqLen];
const inOneRow = ([batch, seqLen, ...rest]) => [1, batch * seqLen, ...rest];
