/** Adam (Kingma & Ba 2015, arXiv:1412.6980) with L2 regularisation: the gradient becomes g + weightDecay p. */
import type { AdamWSlot } from '@statespace/ssd-core';
import type { Tensor } from '../tensor.js';
import { AdamW, type AdamWOptions } from './adamw.js';
import type { NamedParameters, Slot } from './optimizer.js';
import { regularized } from './regularized.js';

/** Adam. `weightDecay` is an L2 penalty, default 0; for decoupled decay use `AdamW`. */
export class Adam extends AdamW {
  constructor(parameters: NamedParameters, options: AdamWOptions) {
    super(parameters, { weightDecay: 0, ...options }, 'Adam');
  }

  protected override kernelSlot(slot: Slot, grad: Tensor, gradScale: Tensor | undefined): AdamWSlot {
    const { parameter } = slot;
    const decay = parameter.decay ? this.weightDecay : 0;
    const penalized = regularized(parameter, grad, decay, gradScale);
    return { ...super.kernelSlot(slot, penalized, undefined), weightDecay: 0 };
  }

  /** The scale belongs to the gradient alone, not to the penalty: it is applied before that is added. */
  protected override kernelGradScale(): undefined {
    return undefined;
  }
}
