/**
 * AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101), one kernel call for all parameters of a device:
 *   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   p = p (1 - lr wd) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 */
import { type AdamWSlot, ArgumentError, type Kernels } from '@statespace/ssd-core';
import { allocate, dense } from '../ops/layout.js';
import { keep } from '../scope.js';
import type { Tensor } from '../tensor.js';
import {
  checkRange,
  type NamedParameters,
  Optimizer,
  type OptimizerOptions,
  type Slot,
} from './optimizer.js';

export interface AdamWOptions extends OptimizerOptions {
  /** Decay of the first and second moment. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** Default 0.01; parameters with `decay: false` have none. */
  readonly weightDecay?: number;
}

/** Parameters of one device and format, and what changes from step to step, in that device's memory. */
interface Group {
  readonly slots: readonly Slot[];
  readonly kernels: Kernels;
  /** (3): lr, 1 - b1^t, 1 - b2^t. */
  readonly schedule: Tensor;
}

/** Adam with decoupled weight decay. A parameter without a gradient is left as it is. */
export class AdamW extends Optimizer {
  protected readonly weightDecay: number;
  private readonly betas: readonly [number, number];
  private readonly eps: number;
  private readonly groups: readonly Group[];
  /** b1^t and b2^t as running products: a power would differ in the last bits between Node versions. */
  private products: readonly [number, number] = [1, 1];

  constructor(parameters: NamedParameters, options: AdamWOptions, op = 'AdamW') {
    super(op, parameters, ['m', 'v'], options);
    const { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 } = options;
    betas.forEach((beta, i) => {
      checkRange(op, `betas[${i}]`, beta, beta >= 0 && beta < 1, 'a number in [0, 1)');
    });
    checkRange(op, 'eps', eps, eps >= 0, 'a number >= 0');
    checkRange(op, 'weightDecay', weightDecay, weightDecay >= 0, 'a number >= 0');
    this.betas = betas;
    this.eps = eps;
    this.weightDecay = weightDecay;
    this.groups = groupsOf(this.slots);
  }

  override dispose(): void {
    super.dispose();
    for (const { schedule } of this.groups) schedule.dispose();
  }

  protected update(gradScale: Tensor | undefined): void {
    const [beta1, beta2] = this.betas;
    this.products = [this.products[0] * beta1, this.products[1] * beta2];
    const numbers = [this.currentLr, 1 - this.products[0], 1 - this.products[1]];
    for (const { slots, kernels, schedule } of this.groups) {
      const ready: AdamWSlot[] = [];
      for (const slot of slots) {
        const grad = slot.parameter.grad;
        if (grad !== undefined) ready.push(this.kernelSlot(slot, dense(grad), gradScale));
      }
      if (ready.length === 0) continue;
      schedule.copyFrom(schedule.dtype === 'f64' ? new Float64Array(numbers) : new Float32Array(numbers));
      kernels.adamw({
        slots: ready,
        beta1,
        beta2,
        eps: this.eps,
        schedule,
        gradScale: this.kernelGradScale(gradScale),
      });
    }
  }

  /** What the kernel is told of one parameter. */
  protected kernelSlot(slot: Slot, grad: Tensor, _gradScale: Tensor | undefined): AdamWSlot {
    const { parameter, state } = slot;
    return {
      param: parameter,
      grad,
      m: state.m as Tensor,
      v: state.v as Tensor,
      lrScale: parameter.lrScale,
      weightDecay: parameter.decay ? this.weightDecay : 0,
    };
  }

  protected kernelGradScale(gradScale: Tensor | undefined): Tensor | undefined {
    return gradScale?.reshape([1]);
  }

  protected override counters(): Record<string, number> {
    return { ...super.counters(), beta1Product: this.products[0], beta2Product: this.products[1] };
  }
  protected override setCounters(counters: Readonly<Record<string, number>>): void {
    super.setCounters(counters);
    this.products = [counters.beta1Product as number, counters.beta2Product as number];
  }
}

function groupsOf(slots: readonly Slot[]): Group[] {
  const byKey = new Map<string, Slot[]>();
  for (const slot of slots) {
    const { dtype, device } = slot.parameter;
    if (dtype !== 'f32' && dtype !== 'f64') {
      throw new ArgumentError({ op: 'AdamW', argument: slot.name, wanted: 'f32 or f64', got: dtype });
    }
    const key = `${device} ${dtype}`;
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, [slot]);
    else group.push(slot);
  }
  return [...byKey.values()].map((group) => {
    const { kernels, dtype } = (group[0] as Slot).parameter;
    return { slots: group, kernels, schedule: keep(allocate(kernels, dtype, [3])) };
  });
}
