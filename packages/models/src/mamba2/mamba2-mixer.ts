/**
 * The mixer of Mamba-2 (Dao & Gu 2024, arXiv:2405.21060, section 7).
 *
 *   [z, x, B, C, dt] = W_in u;   [x, B, C] = SiLU(conv([x, B, C]));   dt = clamp(softplus(dt + b))
 *   h[t] = exp(dt A) h[t-1] + dt x[t] B[t]^T;   y = h C + D x;   out = W_out norm(y SiLU(z))
 */
import { type Parameter, selectiveStateUpdate, split, ssdChunkScan, type Tensor } from '@statespace/tensor';
import { headCount, innerWidth, type Mamba2Config } from '../config/model-config.js';
import { Mixer } from '../layers/block.js';
import { DepthwiseConv } from '../layers/depthwise-conv.js';
import type { LayerState, LayerStateShapes } from '../layers/layer-state.js';
import { Linear } from '../layers/linear.js';
import type { ModuleEntry } from '../layers/module.js';
import { constant, fanInUniform, type ParameterSource } from '../layers/parameter-source.js';
import { RmsNorm } from '../layers/rms-norm.js';
import { logUniform, stepBias } from '../layers/state-space-init.js';

/** u (B, L, dModel) to (B, L, dModel); H heads of P channels, E = H P, G groups of N states. */
export class Mamba2Mixer extends Mixer {
  readonly stateShapes: LayerStateShapes;
  /** (H) */
  readonly dtBias: Parameter;
  /** (H); A = -exp(aLog). */
  readonly aLog: Parameter;
  /** Skip weight, (H), or (E) with `skipPerChannel`. */
  readonly skip: Parameter;
  readonly conv: DepthwiseConv;
  readonly inProj: Linear;
  readonly norm: RmsNorm;
  readonly outProj: Linear;
  readonly #config: Mamba2Config;
  readonly #heads: number;
  readonly #inner: number;

  constructor(source: ParameterSource, config: Mamba2Config) {
    super();
    const { dModel, dState, nGroups, headDim, dConv, useBias: bias } = config;
    const inner = innerWidth(config);
    const heads = headCount(config);
    const convChannels = inner + 2 * nGroups * dState;
    this.inProj = new Linear(source, dModel, inner + convChannels + heads, { bias });
    this.conv = new DepthwiseConv(source, convChannels, dConv, config.useConvBias);
    this.dtBias = source.create([heads], stepBias(config), { decay: false });
    this.aLog = source.create([heads], logUniform(1, 16), { decay: false });
    this.skip = source.create([config.skipPerChannel ? inner : heads], constant(1), { decay: false });
    this.norm = new RmsNorm(source, inner, { eps: config.normEps, groupSize: inner / config.normGroups });
    // Keeps the variance of the residual stream from growing with depth.
    this.outProj = new Linear(source, inner, dModel, {
      bias,
      weight: fanInUniform(inner, Math.sqrt(config.numLayers)),
    });
    this.stateShapes = { conv: [convChannels, dConv - 1], ssm: [heads, headDim, dState] };
    this.#config = config;
    this.#heads = heads;
    this.#inner = inner;
  }

  protected entries(): readonly ModuleEntry[] {
    return [
      ['dt_bias', this.dtBias],
      ['A_log', this.aLog],
      ['D', this.skip],
      ['conv1d', this.conv],
      ['in_proj', this.inProj],
      ['norm', this.norm],
      ['out_proj', this.outProj],
    ];
  }

  forward(u: Tensor): Tensor {
    const [z, xBC, dt] = this.#project(u);
    const y = ssdChunkScan({ ...this.#scanInputs(this.conv.forward(xBC), dt), ...this.#chunks }).out;
    return this.#finish(y, z);
  }

  advance(u: Tensor, state: LayerState): Tensor {
    const [z, xBC, dt] = this.#project(u);
    const { out, finalStates } = ssdChunkScan({
      ...this.#scanInputs(this.conv.advance(xBC, state.conv), dt),
      ...this.#chunks,
      initialStates: state.ssm,
      returnFinalStates: true,
    });
    state.ssm.copyFrom(finalStates);
    return this.#finish(out, z);
  }

  step(u: Tensor, state: LayerState): Tensor {
    const [z, xBC, dt] = this.#project(u);
    const y = selectiveStateUpdate({
      ...this.#scanInputs(this.conv.step(xBC, state.conv), dt),
      state: state.ssm,
    });
    return this.#finish(y, z);
  }

  get #chunks() {
    return { chunkSize: this.#config.chunkSize };
  }

  /** z (..., E), x with B and C (..., E + 2 G N), dt (..., H). */
  #project(u: Tensor): [Tensor, Tensor, Tensor] {
    const convChannels = this.stateShapes.conv[0] as number;
    return split(this.inProj.forward(u), [this.#inner, convChannels, this.#heads], -1) as [
      Tensor,
      Tensor,
      Tensor,
    ];
  }

  #scanInputs(xBC: Tensor, dt: Tensor) {
    const { nGroups, dState, headDim, timeStepLimit, skipPerChannel } = this.#config;
    const wide = nGroups * dState;
    const [x, B, C] = split(xBC, [this.#inner, wide, wide], -1) as [Tensor, Tensor, Tensor];
    const outer = xBC.shape.slice(0, -1); // (B, L), or (B) for one step
    return {
      x: x.reshape([...outer, this.#heads, headDim]),
      dt,
      A: this.aLog.exp().neg(),
      B: B.reshape([...outer, nGroups, dState]),
      C: C.reshape([...outer, nGroups, dState]),
      D: skipPerChannel ? this.skip.reshape([this.#heads, headDim]) : this.skip,
      dtBias: this.dtBias,
      dtSoftplus: true,
      dtLimit: timeStepLimit,
    };
  }

  #finish(y: Tensor, z: Tensor): Tensor {
    return this.outProj.forward(this.norm.forward(y.reshape(z.shape), z));
  }
}
