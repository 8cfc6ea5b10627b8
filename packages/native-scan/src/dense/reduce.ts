/** Reductions on the addon; binding/reduce.cc reads what is written here. */
import {
  checkArgmax,
  checkReduce,
  type DenseKernels,
  elementCount,
  type ReduceArgs,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import { expectRankFits } from './views.js';

const reduceCodes: Readonly<Record<ReduceArgs['op'], number>> = { sum: 0, mean: 1, max: 2 };

export function reduceKernels(runtime: NativeRuntime): Pick<DenseKernels, 'reduce' | 'argmax'> {
  const { addon } = runtime;
  return {
    reduce(args) {
      const op = 'reduce';
      checkReduce(op, args);
      expectRankFits(op, 'x', args.x);
      let bits = 0;
      for (const axis of args.axes) bits |= 1 << axis;
      new NativeCall(runtime, op)
        .number(reduceCodes[args.op])
        .number(bits)
        .shape(args.x.shape)
        .view('x', args.x)
        .output('out', args.out)
        .run(addon.reduce);
    },
    argmax(args) {
      const op = 'argmax';
      checkArgmax(op, args);
      new NativeCall(runtime, op)
        .number(elementCount(args.out.shape))
        .number(args.x.shape.at(-1) as number)
        .rows('x', args.x)
        .indexOutput('out', args.out)
        .run(addon.argmax);
    },
  };
}
