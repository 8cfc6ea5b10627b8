/** The residual block that both architectures share. */
import type { Tensor } from '@statespace/tensor';
import type { LayerState, LayerStateShapes } from './layer-state.js';
import { Module, type ModuleEntry } from './module.js';
import type { ParameterSource } from './parameter-source.js';
import { RmsNorm } from './rms-norm.js';

/** A map of sequences (B, L, D) to sequences that can also go step by step. */
export abstract class Mixer extends Module {
  /** Shapes of the state for one sequence. */
  abstract readonly stateShapes: LayerStateShapes;
  /** x (B, L, D) to (B, L, D), from an empty past; differentiable. */
  abstract forward(x: Tensor): Tensor;
  /** As `forward`, going on from `state`, which moves on in place; no gradient. */
  abstract advance(x: Tensor, state: LayerState): Tensor;
  /** One step: x (B, D) to (B, D); `state` moves on in place; no gradient. */
  abstract step(x: Tensor, state: LayerState): Tensor;
}

/** y = x + mixer(norm(x)). The residual has the precision of the model, f32 or f64. */
export class Block extends Module {
  readonly norm: RmsNorm;
  readonly mixer: Mixer;

  constructor(source: ParameterSource, width: number, eps: number, mixer: Mixer) {
    super();
    this.norm = new RmsNorm(source, width, { eps });
    this.mixer = mixer;
  }

  protected entries(): readonly ModuleEntry[] {
    return [
      ['norm', this.norm],
      ['mixer', this.mixer],
    ];
  }

  forward(x: Tensor): Tensor {
    return x.add(this.mixer.forward(this.norm.forward(x)));
  }

  advance(x: Tensor, state: LayerState): Tensor {
    return x.add(this.mixer.advance(this.norm.forward(x), state));
  }

  step(x: Tensor, state: LayerState): Tensor {
    return x.add(this.mixer.step(this.norm.forward(x), state));
  }
}
