/** What trainers, generation and checkpoints ask of a model. */
import type { Parameter, Tensor } from '@statespace/tensor';
import type { ModelConfig } from '../config/model-config.js';
import type { ModelState } from './model-state.js';

/** Loss of a batch. */
export interface LossResult {
  /** Mean cross-entropy over the counted targets, nats, (). */
  readonly loss: Tensor;
  /** Counted targets that have the largest logit, (). */
  readonly correct: Tensor;
}

/** An autoregressive model over token ids. B batch, L seqLen, D dModel, V vocabSize. */
export interface LanguageModel {
  readonly config: ModelConfig;
  readonly device: string;
  namedParameters(): [string, Parameter][];

  /** Logits of every position; ids i32 (B, L), result (B, L, V). */
  forward(ids: Tensor): Tensor;
  /** What the head sees, after the last norm; ids i32 (B, L), result (B, L, D). */
  hidden(ids: Tensor): Tensor;
  /**
   * Mean cross-entropy against `targets` i32 (B, L), aligned with the logits (no shift inside), without ever holding
   * all logits. Targets equal to `ignoreIndex` (default -100) do not count.
   */
  loss(ids: Tensor, targets: Tensor, options?: { readonly ignoreIndex?: number }): LossResult;
  /** As `loss`, for the last position alone; targets i32 (B). */
  lastPositionLoss(ids: Tensor, targets: Tensor | Int32Array): LossResult;

  /** The state before any token, for `batch` sequences; give it back with `dispose()`. */
  initState(batch: number): ModelState;
  /** Reads ids (B, L) into `state` (default: a fresh one), in place; logits (B, V) of what comes next. No gradient. */
  prefill(ids: Tensor, state?: ModelState): { readonly logits: Tensor; readonly state: ModelState };
  /** Reads one token for each sequence, ids (B), into `state`, in place; logits (B, V). No gradient. */
  step(ids: Tensor | Int32Array, state: ModelState): Tensor;
}
