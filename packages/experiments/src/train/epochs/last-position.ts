/** How well a language model predicts the token after a whole window: the head sees the last position alone. */
import { setImmediate } from 'node:timers/promises';
import type { LanguageModel } from '@statespace/models';
import { AbortedError } from '@statespace/ssd-core';
import { noGrad, scope, tensor } from '@statespace/tensor';
import type { EvaluateOptions } from '../evaluate.js';
import type { SampleSet } from '../train-data.js';

export interface LastPositionEvaluation {
  /** Mean cross-entropy over the samples, nats. */
  readonly loss: number;
  /** Share of samples whose likeliest token is the right one. */
  readonly accuracy: number;
}

/** As `evaluate`, without the positions before the last. @throws {AbortedError} when `signal` fires. */
export async function evaluateLastPosition(
  model: LanguageModel,
  samples: SampleSet,
  { batchSize, signal }: EvaluateOptions,
): Promise<LastPositionEvaluation> {
  const { device } = model;
  let loss = 0;
  let correct = 0;
  for (let start = 0; start < samples.count; start += batchSize) {
    if (signal?.aborted) throw new AbortedError({ op: 'evaluate', cause: signal.reason });
    const indices = Array.from(
      { length: Math.min(batchSize, samples.count - start) },
      (_, row) => start + row,
    );
    const { batch, seqLen, inputs, lastTargets } = samples.gather(indices);
    noGrad(() =>
      scope(() => {
        const ids = tensor(inputs, { shape: [batch, seqLen], device });
        const part = model.lastPositionLoss(ids, tensor(lastTargets, { shape: [batch], device }));
        loss += part.loss.item() * batch;
        correct += part.correct.item();
      }),
    );
    await setImmediate();
  }
  return { loss: loss / samples.count, accuracy: correct / samples.count };
}
