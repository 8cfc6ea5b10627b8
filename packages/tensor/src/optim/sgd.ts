/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013, in torch's form):
 *   g = grad + weightDecay p;  b = momentum b + g;  p = p - lr b,  or  p - lr (g + momentum b) with Nesterov.
 */
import { allocateLike, dense } from '../ops/layout.js';
import type { Tensor } from '../tensor.js';
import {
  checkRange,
  type NamedParameters,
  Optimizer,
  type OptimizerOptions,
  type Slot,
} from './optimizer.js';
import { regularized } from './regularized.js';

export interface SgdOptions extends OptimizerOptions {
  /** Default 0. */
  readonly momentum?: number;
  /** Default false; needs momentum. */
  readonly nesterov?: boolean;
  /** L2 penalty. Default 0; parameters with `decay: false` have none. */
  readonly weightDecay?: number;
}

/** Stochastic gradient descent. A parameter without a gradient is left as it is. */
export class SGD extends Optimizer {
  private readonly momentum: number;
  private readonly nesterov: boolean;
  private readonly weightDecay: number;

  constructor(parameters: NamedParameters, options: SgdOptions) {
    const { momentum = 0, nesterov = false, weightDecay = 0 } = options;
    super('SGD', parameters, momentum > 0 ? ['momentum'] : [], options);
    checkRange('SGD', 'momentum', momentum, momentum >= 0 && momentum < 1, 'a number in [0, 1)');
    checkRange('SGD', 'momentum', momentum, !nesterov || momentum > 0, 'a number above 0 with nesterov');
    checkRange('SGD', 'weightDecay', weightDecay, weightDecay >= 0, 'a number >= 0');
    this.momentum = momentum;
    this.nesterov = nesterov;
    this.weightDecay = weightDecay;
  }

  protected update(gradScale: Tensor | undefined): void {
    const lr = this.currentLr;
    for (const slot of this.slots) {
      const { parameter } = slot;
      if (parameter.grad === undefined) continue;
      const decay = parameter.decay ? this.weightDecay : 0;
      const grad = regularized(parameter, dense(parameter.grad), decay, gradScale);
      const direction = this.momentum > 0 ? this.direction(slot, grad) : grad;
      parameter.kernels.accumulate({ x: scaled(direction, -lr * parameter.lrScale), out: parameter });
    }
  }

  private direction({ state }: Slot, grad: Tensor): Tensor {
    const buffer = state.momentum as Tensor;
    const next = scaled(buffer, this.momentum);
    next.kernels.accumulate({ x: grad, out: next });
    next.kernels.copy({ x: next, out: buffer });
    if (!this.nesterov) return buffer;
    const ahead = scaled(buffer, this.momentum);
    ahead.kernels.accumulate({ x: grad, out: ahead });
    return ahead;
  }
}

function scaled(x: Tensor, alpha: number): Tensor {
  const out = allocateLike(x);
  x.kernels.affine({ x, alpha, beta: 0, out });
  return out;
}
