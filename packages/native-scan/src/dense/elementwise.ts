/** Element-by-element kernels on the addon; binding/elementwise.cc reads what is written here. */
import {
  type BinaryOp,
  checkAccumulate,
  checkAffine,
  checkBinary,
  checkCopy,
  checkFill,
  checkUnary,
  checkUnaryBackward,
  type DenseKernels,
  type TensorLike,
  tensorDType,
  type UnaryOp,
} from '@statespace/ssd-core';
import { dtypeCodes, NativeCall, type NativeRuntime } from '../native-call.js';
import { expectRankFits, mayShareMemory } from './views.js';

/** Positions in `enum class UnaryOp` of native/include/statespace/elementwise.h. */
const unaryCodes: Readonly<Record<UnaryOp, number>> = {
  neg: 0,
  abs: 1,
  square: 2,
  sqrt: 3,
  rsqrt: 4,
  reciprocal: 5,
  exp: 6,
  expm1: 7,
  log: 8,
  log1p: 9,
  sin: 10,
  cos: 11,
  tanh: 12,
  sigmoid: 13,
  logSigmoid: 14,
  silu: 15,
  softplus: 16,
  relu: 17,
  gelu: 18,
  geluTanh: 19,
};

const binaryCodes: Readonly<Record<BinaryOp, number>> = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  maximum: 4,
  minimum: 5,
};

type ElementwiseKernels = Pick<
  DenseKernels,
  'unary' | 'unaryBackward' | 'binary' | 'affine' | 'copy' | 'accumulate' | 'fill'
>;

export function elementwiseKernels(runtime: NativeRuntime): ElementwiseKernels {
  const { addon } = runtime;

  /** `x`, or a copy of it where the kernel might write into what it still has to read. */
  function separate(call: NativeCall, x: TensorLike, out: TensorLike): TensorLike {
    return mayShareMemory(x, out) ? call.copied('x', x) : x;
  }

  return {
    unary(args) {
      const op = 'unary';
      checkUnary(op, args);
      expectRankFits(op, 'x', args.x);
      new NativeCall(runtime, op)
        .number(unaryCodes[args.op])
        .shape(args.x.shape)
        .view('x', args.x)
        .output('out', args.out)
        .run(addon.unary);
    },
    unaryBackward(args) {
      const op = 'unaryBackward';
      checkUnaryBackward(op, args);
      expectRankFits(op, 'x', args.x);
      new NativeCall(runtime, op)
        .number(unaryCodes[args.op])
        .shape(args.x.shape)
        .view('x', args.x)
        .dense('gradOut', args.gradOut)
        .output('gradX', args.gradX)
        .run(addon.unaryBackward);
    },
    binary(args) {
      const op = 'binary';
      checkBinary(op, args);
      expectRankFits(op, 'out', args.out);
      const { shape } = args.out;
      new NativeCall(runtime, op)
        .number(binaryCodes[args.op])
        .shape(shape)
        .broadcast('a', args.a, shape)
        .broadcast('b', args.b, shape)
        .output('out', args.out)
        .run(addon.binary);
    },
    affine(args) {
      const op = 'affine';
      checkAffine(op, args);
      expectRankFits(op, 'x', args.x);
      new NativeCall(runtime, op)
        .number(args.alpha)
        .number(args.beta)
        .shape(args.x.shape)
        .view('x', args.x)
        .output('out', args.out)
        .run(addon.affine);
    },
    copy(args) {
      const op = 'copy';
      checkCopy(op, args);
      expectRankFits(op, 'out', args.out);
      const { shape } = args.out;
      const call = new NativeCall(runtime, op);
      const source = separate(call, args.x, args.out);
      call
        .number(dtypeCodes[tensorDType(args.x)])
        .number(dtypeCodes[tensorDType(args.out)])
        .shape(shape)
        .typedBroadcast('x', source, shape)
        .typedView('out', args.out)
        .run(addon.copy);
    },
    accumulate(args) {
      const op = 'accumulate';
      checkAccumulate(op, args);
      expectRankFits(op, 'out', args.out);
      const call = new NativeCall(runtime, op);
      call
        .shape(args.out.shape)
        .view('x', separate(call, args.x, args.out))
        .view('out', args.out)
        .run(addon.accumulate);
    },
    fill(args) {
      const op = 'fill';
      checkFill(op, args);
      expectRankFits(op, 'out', args.out);
      new NativeCall(runtime, op)
        .number(dtypeCodes[tensorDType(args.out)])
        .number(args.value)
        .shape(args.out.shape)
        .typedView('out', args.out)
        .run(addon.fill);
    },
  };
}
