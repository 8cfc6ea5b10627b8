/** The language model around any mixer: backbone, head, losses, and the recurrent form. */
import { ArgumentError, formatShape, ShapeError } from '@statespace/ssd-core';
import {
  linear,
  linearCrossEntropy,
  noGrad,
  type Parameter,
  scope,
  Tensor,
  tensor,
} from '@statespace/tensor';
import type { ModelConfig } from '../config/model-config.js';
import type { Mixer } from '../layers/block.js';
import { Linear } from '../layers/linear.js';
import { Module, type ModuleEntry } from '../layers/module.js';
import type { ParameterSource } from '../layers/parameter-source.js';
import { Backbone } from './backbone.js';
import type { LanguageModel, LossResult } from './language-model.js';
import { ModelState } from './model-state.js';

/** Base of `MambaLM` and `Mamba2LM`; see `LanguageModel` for shapes. */
export abstract class CausalLM<C extends ModelConfig = ModelConfig> extends Module implements LanguageModel {
  readonly config: C;
  readonly backbone: Backbone;
  /** Absent where the head shares the embedding. */
  readonly lmHead: Linear | undefined;

  constructor(source: ParameterSource, config: C, makeMixer: () => Mixer) {
    super();
    this.config = config;
    this.backbone = new Backbone(source, config, makeMixer);
    this.lmHead = config.tieEmbeddings ? undefined : new Linear(source, config.dModel, config.vocabSize);
  }

  protected entries(): readonly ModuleEntry[] {
    const backbone: ModuleEntry = ['backbone', this.backbone];
    return this.lmHead === undefined ? [backbone] : [backbone, ['lm_head', this.lmHead]];
  }

  get device(): string {
    return this.headWeight.device;
  }

  /** Weight of the output head, (V, D). */
  get headWeight(): Parameter {
    return (this.lmHead ?? this.backbone.embeddings).weight;
  }

  forward(ids: Tensor): Tensor {
    return linear(this.hidden(ids), this.headWeight);
  }

  hidden(ids: Tensor): Tensor {
    checkIds('hidden', ids);
    return this.backbone.normF.forward(this.backbone.forward(ids));
  }

  loss(ids: Tensor, targets: Tensor, options: { readonly ignoreIndex?: number } = {}): LossResult {
    return linearCrossEntropy(this.hidden(ids), this.headWeight, targets, options);
  }

  lastPositionLoss(ids: Tensor, targets: Tensor | Int32Array): LossResult {
    checkIds('lastPositionLoss', ids);
    // Only the last position needs the final norm and the head.
    const last = this.backbone.forward(ids).select(1, -1);
    return linearCrossEntropy(this.backbone.normF.forward(last), this.headWeight, targets);
  }

  initState(batch: number): ModelState {
    if (!Number.isInteger(batch) || batch < 1) {
      throw new ArgumentError({
        op: 'initState',
        argument: 'batch',
        wanted: 'a positive integer',
        got: String(batch),
      });
    }
    const shapes = this.backbone.layers.map(({ mixer }) => mixer.stateShapes);
    const dtype = this.headWeight.dtype === 'f64' ? 'f64' : 'f32';
    return ModelState.zero(batch, shapes, { device: this.device, dtype });
  }

  prefill(ids: Tensor, state?: ModelState): { readonly logits: Tensor; readonly state: ModelState } {
    checkIds('prefill', ids);
    const [batch, seqLen] = ids.shape as readonly [number, number];
    const own = state ?? this.initState(batch);
    this.#checkState('prefill', own, batch);
    const logits = withoutGraph(() => this.#logits(this.backbone.advance(ids, own).select(1, -1)));
    own.position += seqLen;
    return { logits, state: own };
  }

  step(ids: Tensor | Int32Array, state: ModelState): Tensor {
    const logits = withoutGraph(() => {
      const tokens = ids instanceof Tensor ? ids : tensor(ids, { dtype: 'i32', device: this.device });
      if (tokens.rank !== 1) {
        throw new ShapeError({ op: 'step', argument: 'ids', wanted: '(B)', got: formatShape(tokens.shape) });
      }
      this.#checkState('step', state, tokens.size);
      return this.#logits(this.backbone.step(tokens, state));
    });
    state.position += 1;
    return logits;
  }

  #logits(x: Tensor): Tensor {
    return linear(this.backbone.normF.forward(x), this.headWeight);
  }

  #checkState(op: string, state: ModelState, batch: number): void {
    const { numLayers } = this.config;
    if (state.batch === batch && state.layers.length === numLayers) return;
    throw new ShapeError({
      op,
      argument: 'state',
      wanted: `the state of ${batch} sequences in ${numLayers} layers`,
      got: `${state.batch} sequences in ${state.layers.length} layers`,
    });
  }
}

function withoutGraph<T>(fn: () => T): T {
  return noGrad(() => scope(fn));
}

function checkIds(op: string, ids: Tensor): void {
  if (ids.rank === 2 && ids.shape[1] !== 0) return;
  throw new ShapeError({ op, argument: 'ids', wanted: '(B, L), L at least 1', got: formatShape(ids.shape) });
}
