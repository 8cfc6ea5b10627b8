/** Models of a real-valued series, u (B, T) to y (B, T). */
import {
  completeConfig,
  diagonalScan,
  type InitialDraws,
  Linear,
  type MambaDiagConfig,
  MambaDiagMixer,
  Module,
  type ModuleEntry,
  normalWith,
  type ParameterSource,
} from '@statespace/models';
import { ones, type Parameter, type Tensor } from '@statespace/tensor';
import type { DecayParams, SeriesModelName } from './params.js';

export abstract class SeriesModel extends Module {
  abstract forward(u: Tensor): Tensor;
}

/** y[t] = sum_n g_n h_n[t], h_n[t] = a_n h_n[t-1] + u[t], a_n = exp(-exp(theta_n)): linear, one channel, N states. */
export class LinearDecays extends SeriesModel {
  /** (1, N) */
  readonly theta: Parameter;
  /** (1, N) */
  readonly gain: Parameter;

  constructor(source: ParameterSource, states: number) {
    super();
    this.theta = source.create([1, states], spreadDecays, { decay: false });
    this.gain = source.create([1, states], normalWith(1 / Math.sqrt(states)), { decay: false });
  }

  protected entries(): readonly ModuleEntry[] {
    return [
      ['theta', this.theta],
      ['gain', this.gain],
    ];
  }

  forward(u: Tensor): Tensor {
    const { theta, gain } = this;
    const B = ones(gain.shape, { dtype: u.dtype, device: u.device });
    return diagonalScan({ u: u.unsqueeze(2), theta, B, C: gain }).out.squeeze(2);
  }

  /** Decays a_n, largest first, each with its gain. */
  fitted(): { readonly decay: number; readonly gain: number }[] {
    const gains = this.gain.toArray();
    return Array.from(this.theta.toArray(), (logRate, n) => ({
      decay: Math.exp(-Math.exp(logRate)),
      gain: gains[n] as number,
    })).sort((a, b) => b.decay - a.decay);
  }
}

/**
 * theta of decays in (0.1, 0.99), one uniform in each of N equal parts: none that hardly moves or hardly lasts, and no
 * two alike, which would get the same gradients and stay together.
 */
function spreadDecays(count: number, draws: InitialDraws): Float64Array {
  return draws.uniform(count).map((u, n) => Math.log(-Math.log(0.1 + (0.89 * (n + u)) / count)));
}

/**
 * The mixer of Mamba without selection between two affine maps, y = W_o (x + mixer(x)) + b_o, x = W_i u + b_i: every
 * channel has decays of its own, which the output mixes. There is no norm: it would take the amplitude away.
 */
export class BlockDecays extends SeriesModel {
  readonly lift: Linear;
  readonly mixer: MambaDiagMixer;
  readonly head: Linear;

  constructor(source: ParameterSource, states: number, dModel: number) {
    super();
    this.lift = new Linear(source, 1, dModel, { bias: true });
    this.mixer = new MambaDiagMixer(source, mixerConfig(states, dModel));
    this.head = new Linear(source, dModel, 1, { bias: true });
  }

  protected entries(): readonly ModuleEntry[] {
    return [
      ['lift', this.lift],
      ['mixer', this.mixer],
      ['head', this.head],
    ];
  }

  forward(u: Tensor): Tensor {
    const x = this.lift.forward(u.unsqueeze(2));
    return this.head.forward(x.add(this.mixer.forward(x))).squeeze(2);
  }
}

function mixerConfig(dState: number, dModel: number): MambaDiagConfig {
  const config = { architecture: 'mamba-diag', vocabSize: 1, dModel, numLayers: 1, dState } as const;
  return completeConfig(config) as MambaDiagConfig;
}

export function seriesModel(
  name: SeriesModelName,
  source: ParameterSource,
  states: number,
  { dModel }: Pick<DecayParams, 'dModel'>,
): SeriesModel {
  return name === 'mamba_diag_exp'
    ? new LinearDecays(source, states)
    : new BlockDecays(source, states, dModel);
}
