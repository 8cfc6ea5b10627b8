/**
 * The mixer of Mamba with a state-space model that does not look at its input (Hu et al. 2025, arXiv:2510.04944).
 *
 *   [x, z] = W_in u;   x = SiLU(conv(x));   a = exp(-exp(theta))
 *   h[t] = a h[t-1] + B x[t];   y = (C h + D x) SiLU(z);   out = W_out y
 *
 * For each channel y is the convolution of x with k[j] = sum_n C_n B_n a_n^j, a sum of N 1-semiseparable heads.
 */
import { type Parameter, selectiveStateUpdate, split, type Tensor } from '@statespace/tensor';
import { innerWidth, type MambaDiagConfig } from '../config/model-config.js';
import { Mixer } from '../layers/block.js';
import { decayRates } from '../layers/decay-rates.js';
import { DepthwiseConv } from '../layers/depthwise-conv.js';
import type { LayerState, LayerStateShapes } from '../layers/layer-state.js';
import { Linear } from '../layers/linear.js';
import type { ModuleEntry } from '../layers/module.js';
import { constant, fanInUniform, normalWith, type ParameterSource } from '../layers/parameter-source.js';
import { logDecayRates, unitStateGain } from '../layers/state-space-init.js';
import { diagonalScan, unitSteps } from './diagonal-scan.js';

/** u (B, L, dModel) to (B, L, dModel); E inner channels, N states a channel. */
export class MambaDiagMixer extends Mixer {
  readonly stateShapes: LayerStateShapes;
  /** (E, N), or (E, 1) with one decay a channel; the decay of a step is a = exp(-exp(theta)). */
  readonly theta: Parameter;
  /** (E, N) */
  readonly B: Parameter;
  /** (E, N) */
  readonly C: Parameter;
  /** Skip weight D, (E). */
  readonly skip: Parameter;
  readonly conv: DepthwiseConv;
  readonly inProj: Linear;
  readonly outProj: Linear;
  readonly #inner: number;

  constructor(source: ParameterSource, config: MambaDiagConfig) {
    super();
    const { dModel, dState, dConv, useBias: bias, numLayers } = config;
    const inner = innerWidth(config);
    const rates = config.decay === 'scalar' ? 1 : dState;
    this.inProj = new Linear(source, dModel, 2 * inner, { bias });
    this.conv = new DepthwiseConv(source, inner, dConv, config.useConvBias);
    const theta = source.create([inner, rates], logDecayRates(config, rates), { decay: false });
    const gains = unitStateGain(() => theta.toArray(), dState / rates);
    this.theta = theta;
    this.B = source.create([inner, dState], gains, { decay: false });
    this.C = source.create([inner, dState], normalWith(1 / Math.sqrt(dState)), { decay: true });
    this.skip = source.create([inner], constant(1), { decay: false });
    this.outProj = new Linear(source, inner, dModel, {
      bias,
      weight: fanInUniform(inner, config.init === 'scaled' ? Math.sqrt(numLayers) : 1),
    });
    this.stateShapes = { conv: [inner, dConv - 1], ssm: [inner, dState] };
    this.#inner = inner;
  }

  protected entries(): readonly ModuleEntry[] {
    return [
      ['theta', this.theta],
      ['B', this.B],
      ['C', this.C],
      ['D', this.skip],
      ['conv1d', this.conv],
      ['in_proj', this.inProj],
      ['out_proj', this.outProj],
    ];
  }

  forward(x: Tensor): Tensor {
    const [inner, z] = this.#project(x);
    return this.outProj.forward(diagonalScan({ ...this.#weights, u: this.conv.forward(inner), z }).out);
  }

  advance(x: Tensor, state: LayerState): Tensor {
    const [inner, z] = this.#project(x);
    const { out, lastState } = diagonalScan({
      ...this.#weights,
      u: this.conv.advance(inner, state.conv),
      z,
      initialState: state.ssm,
      returnLastState: true,
    });
    state.ssm.copyFrom(lastState);
    return this.outProj.forward(out);
  }

  step(x: Tensor, state: LayerState): Tensor {
    const [inner, z] = this.#project(x);
    const u = this.conv.step(inner, state.conv);
    const { theta, B, C, D } = this.#weights;
    // One group for each channel: B and C differ between channels and not between sequences.
    const groups = [u.shape[0] as number, ...B.shape];
    const y = selectiveStateUpdate({
      state: state.ssm,
      x: u,
      dt: unitSteps(u),
      A: decayRates(theta, B.shape[1] as number),
      B: B.expand(groups),
      C: C.expand(groups),
      D,
      z,
    });
    return this.outProj.forward(y);
  }

  /** x and z, each (..., E). */
  #project(x: Tensor): [Tensor, Tensor] {
    return split(this.inProj.forward(x), [this.#inner, this.#inner], -1) as [Tensor, Tensor];
  }

  get #weights() {
    return { theta: this.theta, B: this.B, C: this.C, D: this.skip };
  }
}
