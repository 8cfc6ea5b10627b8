/** How good a language model is on samples it did not see. */
import { setImmediate } from 'node:timers/promises';
import { PARITY_IGNORE, type TokenBatch } from '@statespace/datasets';
import type { LanguageModel } from '@statespace/models';
import { AbortedError } from '@statespace/ssd-core';
import { noGrad, scope, tensor } from '@statespace/tensor';
import type { SampleSet } from './train-data.js';

/** Means over all samples; losses in nats per token, accuracies as shares of one. */
export interface Evaluation {
  /** Mean cross-entropy over every position. */
  readonly loss: number;
  /** exp(loss) */
  readonly perplexity: number;
  /** Share of positions whose likeliest token is the right one. */
  readonly accuracy: number;
  /** Cross-entropy of the token after the whole window. */
  readonly lastLoss: number;
  readonly lastAccuracy: number;
  /** Positions judged. */
  readonly tokens: number;
  readonly samples: number;
}

export interface EvaluateOptions {
  readonly batchSize: number;
  readonly signal?: AbortSignal;
}

/**
 * Judges `model` on all of `samples`, in order; the event loop turns between batches.
 * @throws {AbortedError} when `signal` fires.
 */
export async function evaluate(
  model: LanguageModel,
  samples: SampleSet,
  { batchSize, signal }: EvaluateOptions,
): Promise<Evaluation> {
  const sums = { loss: 0, correct: 0, tokens: 0, lastLoss: 0, lastCorrect: 0 };
  for (let start = 0; start < samples.count; start += batchSize) {
    if (signal?.aborted) throw new AbortedError({ op: 'evaluate', cause: signal.reason });
    const count = Math.min(batchSize, samples.count - start);
    const batch = samples.gather(Int32Array.from({ length: count }, (_, row) => start + row));
    const part = evaluateBatch(model, batch);
    sums.loss += part.loss * part.tokens;
    sums.correct += part.correct;
    sums.tokens += part.tokens;
    sums.lastLoss += part.lastLoss * count;
    sums.lastCorrect += part.lastCorrect;
    await setImmediate();
  }
  const loss = sums.loss / sums.tokens;
  return {
    loss,
    perplexity: Math.exp(loss),
    accuracy: sums.correct / sums.tokens,
    lastLoss: sums.lastLoss / samples.count,
    lastAccuracy: sums.lastCorrect / samples.count,
    tokens: sums.tokens,
    samples: samples.count,
  };
}

function evaluateBatch(model: LanguageModel, { batch, seqLen, inputs, targets, lastTargets }: TokenBatch) {
  return noGrad(() =>
    scope(() => {
      const { device } = model;
      const ids = tensor(inputs, { shape: [batch, seqLen], device });
      const full = model.loss(ids, tensor(targets, { shape: [batch, seqLen], device }));
      const last = model.lastPositionLoss(ids, tensor(lastTargets, { shape: [batch], device }));
      return {
        loss: full.loss.item(),
        correct: full.correct.item(),
        tokens: targets.reduce((count, id) => count + (id === PARITY_IGNORE ? 0 : 1), 0),
        lastLoss: last.loss.item(),
        lastCorrect: last.correct.item(),
      };
    }),
  );
}
