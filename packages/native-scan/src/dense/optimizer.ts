/** Gradient norm and AdamW on the addon; binding/optimizer.cc reads what is written here. */
import {
  checkAdamW,
  checkGradNorm,
  type DenseKernels,
  elementCount,
  isContiguous,
  type TensorLike,
  type TypedArray,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';

export function optimizerKernels(runtime: NativeRuntime): Pick<DenseKernels, 'gradNorm' | 'adamw'> {
  const { addon } = runtime;

  function contiguous(call: NativeCall, name: string, tensor: TensorLike): TensorLike {
    return isContiguous(tensor) ? tensor : call.copied(name, tensor);
  }

  function arraysOf(call: NativeCall, name: string, tensors: readonly TensorLike[]): TypedArray[] {
    return tensors.map((tensor) => call.float32(name, tensor));
  }

  return {
    gradNorm(args) {
      const op = 'gradNorm';
      checkGradNorm(op, args);
      const call = new NativeCall(runtime, op);
      const grads = args.grads.map((grad) => contiguous(call, 'grads', grad));
      call
        .number(grads.length)
        .number(args.maxNorm)
        .list('grads', arraysOf(call, 'grads', grads));
      for (const grad of grads) call.number(elementCount(grad.shape));
      for (const grad of grads) call.number(grad.offset ?? 0);
      call.output('norm', args.norm).output('factor', args.factor).run(addon.gradNorm);
    },
    adamw(args) {
      const op = 'adamw';
      checkAdamW(op, args);
      const call = new NativeCall(runtime, op);
      const slots = args.slots.map((slot) => ({ ...slot, grad: contiguous(call, 'grad', slot.grad) }));
      call.number(slots.length).number(args.beta1).number(args.beta2).number(args.eps);
      for (const field of ['param', 'grad', 'm', 'v'] as const) {
        const tensors = slots.map((slot) => slot[field]);
        call.list(field, arraysOf(call, field, tensors));
      }
      for (const { param, lrScale, weightDecay } of slots) {
        call.number(elementCount(param.shape)).number(lrScale).number(weightDecay);
      }
      for (const { param, grad, m, v } of slots) {
        for (const tensor of [param, grad, m, v]) call.number(tensor.offset ?? 0);
      }
      call.dense('schedule', args.schedule).dense('gradScale', args.gradScale).run(addon.adamw);
    },
  };
}
