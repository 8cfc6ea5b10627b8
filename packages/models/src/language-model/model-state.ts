/** The memory of a model that runs token by token. */
import { keep, zeros } from '@statespace/tensor';
import type { LayerState, LayerStateShapes } from '../layers/layer-state.js';

/** State of all layers for a batch of sequences. It outlives scopes: `dispose()` frees it. */
export class ModelState {
  readonly batch: number;
  readonly layers: readonly LayerState[];
  /** Tokens read so far. */
  position = 0;

  constructor(batch: number, layers: readonly LayerState[]) {
    this.batch = batch;
    this.layers = layers;
  }

  /** The state before the first token. */
  static zero(
    batch: number,
    shapes: readonly LayerStateShapes[],
    place: { readonly device: string; readonly dtype: 'f32' | 'f64' },
  ): ModelState {
    const layers = shapes.map(({ conv, ssm }) => ({
      conv: keep(zeros([batch, ...conv], place)),
      ssm: keep(zeros([batch, ...ssm], place)),
    }));
    return new ModelState(batch, layers);
  }

  /** An independent copy, for instance to try several continuations. */
  clone(): ModelState {
    const layers = this.layers.map(({ conv, ssm }) => ({ conv: keep(conv.clone()), ssm: keep(ssm.clone()) }));
    const copy = new ModelState(this.batch, layers);
    copy.position = this.position;
    return copy;
  }

  /** Frees the tensors. Idempotent. */
  dispose(): void {
    for (const { conv, ssm } of this.layers) {
      conv.dispose();
      ssm.dispose();
    }
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}
