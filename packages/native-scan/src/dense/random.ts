/** Counter-based random numbers on the addon; binding/random.cc reads what is written here. */
import {
  checkDropout,
  checkRandom,
  type DenseKernels,
  elementCount,
  type PhiloxPosition,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';

export function randomKernels(runtime: NativeRuntime): Pick<DenseKernels, 'random' | 'dropout'> {
  const { addon } = runtime;

  function drawing(call: NativeCall, { seed, stream, offset }: PhiloxPosition, count: number): NativeCall {
    return call.number(seed).number(stream).number(offset).number(count);
  }

  return {
    random(args) {
      checkRandom('random', args);
      const call = new NativeCall(runtime, 'random').flag(args.distribution === 'normal');
      drawing(call, args.generator, elementCount(args.out.shape)).output('out', args.out).run(addon.random);
    },
    dropout(args) {
      checkDropout('dropout', args);
      const call = new NativeCall(runtime, 'dropout').number(args.p);
      drawing(call, args.generator, elementCount(args.out.shape))
        .dense('x', args.x)
        .output('out', args.out)
        .run(addon.dropout);
    },
  };
}
