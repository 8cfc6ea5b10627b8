/** Every feature of every family and direction: its name, its two calls, and what it may cost beside the plain call. */
import { filledLike, gradientsOf } from '../inputs.mjs';
import { families } from './families.mjs';

/**
 * `prepare` makes the calls without and with the feature, and how many `bytes` the feature has to move; `work` tells
 * how many times as long the limit is with it.
 */
export const featureCases = families.flatMap(({ family, shape, calls, plain, features }) =>
  Object.entries(features).flatMap(([feature, { change, work, moves = false }]) =>
    Object.entries(calls).map(([direction, call]) => ({
      name: `${family} ${direction}, ${feature}`,
      work: work?.[direction] ?? (() => 1),
      prepare(inputs) {
        const argsOf = direction === 'forward' ? (args) => args : (args) => backwardArgs(args, inputs);
        const base = plain(inputs);
        const [off, on] = [base, change(base, inputs)].map((args) => ({ ...argsOf(args), backend: 'cpu' }));
        return { off: () => call(off), on: () => call(on), bytes: moves ? bytesToMove(off, shape) : 0 };
      },
    })),
  ),
);

/** Calls that use no feature, each beside the same kernel built without any. */
export const plainCalls = families.flatMap(({ family, calls }) =>
  Object.keys(calls).map((direction) => `${family} ${direction}`),
);

/**
 * The arguments of the backward call: those of the forward, and for each of its outputs a gradient to read, for each of
 * its inputs one to write.
 */
function backwardArgs({ out, lastState, returnLastState, finalStates, returnFinalStates, ...given }, inputs) {
  return {
    ...given,
    gradOut: filledLike(inputs, out),
    ...(lastState && { gradLastState: filledLike(inputs, lastState) }),
    ...(finalStates && { gradFinalStates: filledLike(inputs, finalStates) }),
    ...gradientsOf(inputs, given),
  };
}

/** Bytes to read and write for another order or format of `args`: four in and four out for an element of (B, L, ...). */
function bytesToMove(args, { batch, seqLen }) {
  const lengths = Object.values(args)
    .map((value) => value?.shape)
    .filter((shape) => shape?.length >= 3 && shape[0] === batch && shape[1] === seqLen)
    .map((shape) => shape.reduce((a, b) => a * b, 1));
  return 8 * lengths.reduce((a, b) => a + b, 0);
}
