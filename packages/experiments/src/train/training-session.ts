/** A model, its optimiser and its data in motion: one optimiser step at a time, and everything that must be saved. */
import { EpochSampler } from '@statespace/datasets';
import { createModel } from '@statespace/models';
import { AdamW, clipGradNorm, Generator, type Parameter, scope, tensor } from '@statespace/tensor';
import type { TrainConfig } from '../config/train-config.js';
import { type StepPlan, splitEvenly } from './batch-plan.js';
import { learningRateSchedule } from './learning-rate.js';
import { modelOptions } from './model-options.js';
import { expectFinite } from './non-finite.js';
import { LazyLoss, PendingLosses } from './pending-losses.js';
import type { TrainData } from './train-data.js';

/** Random stream of the weights, apart from those of the epochs (0, 1, ...) and of generation with the same seed. */
const weightStream = 2 ** 41;

export class TrainingSession {
  readonly model: ReturnType<typeof createModel>;
  readonly optimizer: AdamW;
  readonly sampler: EpochSampler;
  readonly parameters: readonly (readonly [string, Parameter])[];
  losses = new PendingLosses();
  /** Optimiser steps done. */
  step = 0;
  /** Training tokens seen. */
  tokens = 0;
  /** Norm of the last gradient before clipping. */
  gradNorm = 0;
  /** Learning rate of the last step. */
  lr = 0;
  readonly #config: TrainConfig;
  readonly #data: TrainData;

  constructor(config: TrainConfig, data: TrainData, plan: StepPlan, device: string) {
    const { optimizer, trainer, seed } = config;
    this.#config = config;
    this.#data = data;
    this.model = createModel(modelOptions(config, data.vocabSize), {
      generator: new Generator(seed, weightStream),
      device,
    });
    this.parameters = [...this.model.namedParameters()];
    const [beta1, beta2] = optimizer.betas as [number, number];
    this.optimizer = new AdamW(this.parameters, {
      lr: optimizer.lr,
      betas: [beta1, beta2],
      eps: optimizer.eps,
      weightDecay: optimizer.weightDecay,
      schedule: learningRateSchedule(config, plan.totalSteps),
    });
    this.sampler = new EpochSampler({ size: data.train.count, batchSize: trainer.batchSize, seed });
  }

  /** Numbers that the optimiser changes. */
  get parameterCount(): number {
    return this.parameters.reduce((sum, [, parameter]) => sum + parameter.size, 0);
  }

  /**
   * One optimiser step on the next batch.
   * @returns its loss, still on the device, and its tokens
   * @throws {NonFiniteError} before the weights change when a gradient is NaN or infinite.
   */
  trainStep(): { readonly loss: LazyLoss; readonly tokens: number } {
    const step = this.step + 1;
    const loss = new LazyLoss(step);
    const indices = this.sampler.next();
    scope(() => {
      this.optimizer.zeroGrad();
      for (const part of splitEvenly(indices, this.#config.trainer.accumulate)) {
        this.#accumulate(part, part.length / indices.length, loss);
      }
      const maxNorm = this.#config.optimizer.clipNorm ?? Number.POSITIVE_INFINITY;
      const { norm, factor } = clipGradNorm(
        this.parameters.map(([, parameter]) => parameter),
        maxNorm,
      );
      this.gradNorm = norm.item();
      expectFinite(step, this.gradNorm, this.parameters);
      this.lr = this.optimizer.currentLr;
      this.optimizer.step({ gradScale: factor });
    });
    const tokens = indices.length * this.#data.train.seqLen;
    this.step = step;
    this.tokens += tokens;
    this.losses.push(loss);
    return { loss, tokens };
  }

  /** Gives the memory of model and optimiser back. */
  dispose(): void {
    this.optimizer.zeroGrad();
    this.optimizer.dispose();
    this.model.dispose();
  }

  /** Adds the gradients of one part of the batch; its mean loss counts with its share. */
  #accumulate(indices: Int32Array, share: number, total: LazyLoss): void {
    const { batch, seqLen, inputs, targets, lastTargets } = this.#data.train.gather(indices);
    const { device } = this.model;
    const ids = tensor(inputs, { shape: [batch, seqLen], device });
    const { loss } =
      this.#config.loss === 'full'
        ? this.model.loss(ids, tensor(targets, { shape: [batch, seqLen], device }))
        : this.model.lastPositionLoss(ids, tensor(lastTargets, { shape: [batch], device }));
    total.add(loss.detach(), share);
    (share === 1 ? loss : loss.mul(share)).backward();
  }
}
