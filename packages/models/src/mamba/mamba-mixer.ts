/**
 * The mixer of Mamba (Gu & Dao 2023, arXiv:2312.00752, section 3.4).
 *
 *   [x, z] = W_in u;   x = SiLU(conv(x));   [r, B, C] = W_x x;   delta = softplus(W_dt r + b)
 *   h[t] = exp(delta A) h[t-1] + delta B x[t];   y = (C h + D x) SiLU(z);   out = W_out y
 */
import {
  linear,
  type Parameter,
  selectiveScan,
  selectiveStateUpdate,
  split,
  type Tensor,
} from '@statespace/tensor';
import { innerWidth, type MambaConfig } from '../config/model-config.js';
import { Mixer } from '../layers/block.js';
import { decayRates } from '../layers/decay-rates.js';
import { DepthwiseConv } from '../layers/depthwise-conv.js';
import type { LayerState, LayerStateShapes } from '../layers/layer-state.js';
import { Linear } from '../layers/linear.js';
import type { ModuleEntry } from '../layers/module.js';
import { constant, fanInUniform, type ParameterSource, uniformWithin } from '../layers/parameter-source.js';
import { logRamp, logUniform, stepBias } from '../layers/state-space-init.js';

/** u (B, L, dModel) to (B, L, dModel); E inner channels, N states a channel, R rank of the step projection. */
export class MambaMixer extends Mixer {
  readonly stateShapes: LayerStateShapes;
  /** (E, N), or (E, 1) with one decay a channel; A = -exp(aLog). */
  readonly aLog: Parameter;
  /** Skip weight, (E). */
  readonly skip: Parameter;
  readonly conv: DepthwiseConv;
  readonly inProj: Linear;
  readonly xProj: Linear;
  /** Its bias is added inside the scan, before softplus. */
  readonly dtProjWeight: Parameter;
  readonly dtBias: Parameter;
  readonly outProj: Linear;
  readonly #inner: number;
  readonly #splits: readonly [number, number, number];

  constructor(source: ParameterSource, config: MambaConfig) {
    super();
    const { dModel, dState, dtRank, dConv, useBias: bias } = config;
    const scaled = config.init === 'scaled';
    const rankBound = uniformWithin(1 / Math.sqrt(dtRank));
    const inner = innerWidth(config);
    this.inProj = new Linear(source, dModel, 2 * inner, { bias });
    this.conv = new DepthwiseConv(source, inner, dConv, config.useConvBias);
    this.xProj = new Linear(source, inner, dtRank + 2 * dState);
    this.dtProjWeight = source.create([inner, dtRank], rankBound, { decay: true });
    this.dtBias = source.create([inner], scaled ? stepBias(config) : rankBound, { decay: false });
    this.aLog =
      config.decay === 'scalar'
        ? source.create([inner, 1], logUniform(1, 16), { decay: false })
        : source.create([inner, dState], logRamp(dState), { decay: false });
    this.skip = source.create([inner], constant(1), { decay: false });
    // The root keeps the variance of the residual stream from growing with depth.
    this.outProj = new Linear(source, inner, dModel, {
      bias,
      weight: fanInUniform(inner, scaled ? Math.sqrt(config.numLayers) : 1),
    });
    this.stateShapes = { conv: [inner, dConv - 1], ssm: [inner, dState] };
    this.#inner = inner;
    this.#splits = [dtRank, dState, dState];
  }

  protected entries(): readonly ModuleEntry[] {
    return [
      ['A_log', this.aLog],
      ['D', this.skip],
      ['conv1d', this.conv],
      ['in_proj', this.inProj],
      ['x_proj', this.xProj],
      ['dt_proj.weight', this.dtProjWeight],
      ['dt_proj.bias', this.dtBias],
      ['out_proj', this.outProj],
    ];
  }

  forward(x: Tensor): Tensor {
    const [inner, z] = this.#project(x);
    const u = this.conv.forward(inner);
    return this.outProj.forward(selectiveScan({ ...this.#scanInputs(u), z }).out);
  }

  advance(x: Tensor, state: LayerState): Tensor {
    const [inner, z] = this.#project(x);
    const u = this.conv.advance(inner, state.conv);
    const { out, lastState } = selectiveScan({
      ...this.#scanInputs(u),
      z,
      initialState: state.ssm,
      returnLastState: true,
    });
    state.ssm.copyFrom(lastState);
    return this.outProj.forward(out);
  }

  step(x: Tensor, state: LayerState): Tensor {
    const [inner, z] = this.#project(x);
    const { u, delta, deltaBias, deltaSoftplus, ...rest } = this.#scanInputs(
      this.conv.step(inner, state.conv),
    );
    const y = selectiveStateUpdate({
      ...rest,
      state: state.ssm,
      x: u,
      dt: delta,
      z,
      dtBias: deltaBias,
      dtSoftplus: deltaSoftplus,
    });
    return this.outProj.forward(y);
  }

  /** x and z, each (..., E). */
  #project(x: Tensor): [Tensor, Tensor] {
    return split(this.inProj.forward(x), [this.#inner, this.#inner], -1) as [Tensor, Tensor];
  }

  #scanInputs(u: Tensor) {
    const [rank, B, C] = split(this.xProj.forward(u), this.#splits, -1) as [Tensor, Tensor, Tensor];
    return {
      u,
      delta: linear(rank, this.dtProjWeight),
      A: decayRates(this.aLog, this.#splits[1]),
      B,
      C,
      D: this.skip,
      deltaBias: this.dtBias,
      deltaSoftplus: true,
    };
  }
}
