/** Causal depthwise convolution with SiLU, over a sequence or one step at a time. */
import { causalConv1d, causalConv1dUpdate, type Parameter, type Tensor } from '@statespace/tensor';
import { Module, type ModuleEntry } from './module.js';
import { fanInUniform, type ParameterSource } from './parameter-source.js';

/**
 * y[t] = SiLU(b + sum_k W[k] x[t - K + 1 + k]) for each channel; x, y (B, L, D), W (D, 1, K), b (D).
 * The middle axis of W is that of torch's grouped convolution, kept for its checkpoints.
 */
export class DepthwiseConv extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly #shape: readonly [number, number];

  constructor(source: ParameterSource, channels: number, width: number, bias: boolean) {
    super();
    this.weight = source.create([channels, 1, width], fanInUniform(width), { decay: true });
    this.bias = bias ? source.create([channels], fanInUniform(width), { decay: false }) : undefined;
    this.#shape = [channels, width];
  }

  protected entries(): readonly ModuleEntry[] {
    return this.bias === undefined
      ? [['weight', this.weight]]
      : [
          ['weight', this.weight],
          ['bias', this.bias],
        ];
  }

  /** Training form, from an empty past. */
  forward(x: Tensor): Tensor {
    return causalConv1d({ ...this.#inputs(), x }).out;
  }

  /** As `forward`, going on after the inputs in `state` (B, D, K-1), which is overwritten with the last ones. */
  advance(x: Tensor, state: Tensor): Tensor {
    const { out, finalStates } = causalConv1d({
      ...this.#inputs(),
      x,
      initialStates: state,
      returnFinalStates: true,
    });
    state.copyFrom(finalStates);
    return out;
  }

  /** One step: x (B, D) to y (B, D); `state` (B, D, K-1) moves on in place. */
  step(x: Tensor, state: Tensor): Tensor {
    return causalConv1dUpdate({ ...this.#inputs(), x, convState: state });
  }

  #inputs() {
    const weight = this.weight.reshape(this.#shape);
    return this.bias === undefined
      ? { weight, activation: 'silu' as const }
      : { weight, bias: this.bias, activation: 'silu' as const };
  }
}
