/** Which samples come next: a new seeded order in each epoch, resumable at any step. */
import { ArgumentError, CheckpointError } from '@statespace/ssd-core';
import { Generator } from '@statespace/tensor';

/** Streams from here on, one per epoch: apart from those that draw weights, dropout or samples of the same seed. */
const firstStream = 2 ** 40;

export interface EpochSamplerOptions {
  /** Number of samples. */
  readonly size: number;
  readonly batchSize: number;
  /** An integer from 0 to 2^53 - 1. */
  readonly seed: number;
  /** Default true. */
  readonly shuffle?: boolean;
  /** Leaves out the last batch of an epoch when it is not full. Default false. */
  readonly dropLast?: boolean;
}

/** Everything that decides the batches to come; plain JSON. */
export interface EpochSamplerState extends Required<EpochSamplerOptions> {
  /** Epoch of the next batch, from 0. */
  readonly epoch: number;
  /** Batches of that epoch already given out. */
  readonly step: number;
}

/**
 * Draws batches of sample indices without end. The order of epoch e depends on (seed, e) alone, so a restored sampler
 * goes on exactly where the saved one stood.
 */
export class EpochSampler {
  readonly size: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  /** Batches in one epoch. */
  readonly stepsPerEpoch: number;
  #epoch = 0;
  #step = 0;
  #order: Int32Array | undefined;

  /** @throws {ArgumentError} when a size is not a positive integer, or an epoch would have no batch. */
  constructor({ size, batchSize, seed, shuffle = true, dropLast = false }: EpochSamplerOptions) {
    expectInteger('size', size, 1);
    expectInteger('batchSize', batchSize, 1);
    expectInteger('seed', seed, 0);
    this.size = size;
    this.batchSize = batchSize;
    this.seed = seed;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.stepsPerEpoch = dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
    if (this.stepsPerEpoch === 0) {
      throw new ArgumentError({
        op: 'EpochSampler',
        argument: 'batchSize',
        wanted: `at most ${size} samples, as dropLast leaves out smaller batches`,
        got: String(batchSize),
      });
    }
  }

  /** Epoch of the next batch, from 0. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Batches of this epoch already given out, from 0 to stepsPerEpoch - 1. */
  get step(): number {
    return this.#step;
  }

  /** Sample indices of the next batch; after the last one of an epoch the next epoch begins. */
  next(): Int32Array {
    this.#order ??= this.#epochOrder();
    const start = this.#step * this.batchSize;
    const batch = this.#order.slice(start, Math.min(start + this.batchSize, this.size));
    this.#step++;
    if (this.#step === this.stepsPerEpoch) {
      this.#step = 0;
      this.#epoch++;
      this.#order = undefined;
    }
    return batch;
  }

  /** The present position, for `restore`. */
  state(): EpochSamplerState {
    const { size, batchSize, seed, shuffle, dropLast } = this;
    return { size, batchSize, seed, shuffle, dropLast, epoch: this.#epoch, step: this.#step };
  }

  /**
   * Goes to a saved position.
   * @throws {CheckpointError} when it was saved by a sampler with other options, or is damaged.
   */
  restore(state: EpochSamplerState): void {
    for (const key of ['size', 'batchSize', 'seed', 'shuffle', 'dropLast'] as const) {
      if (state[key] === this[key]) continue;
      throw new CheckpointError({
        op: 'EpochSampler.restore',
        argument: key,
        wanted: String(this[key]),
        got: String(state[key]),
      });
    }
    const { epoch, step } = state;
    const good = Number.isInteger(epoch) && epoch >= 0 && Number.isInteger(step) && step >= 0;
    if (!good || step >= this.stepsPerEpoch) {
      throw new CheckpointError({
        op: 'EpochSampler.restore',
        argument: 'state',
        wanted: `an epoch and a step below ${this.stepsPerEpoch}`,
        got: `epoch ${epoch}, step ${step}`,
      });
    }
    this.#epoch = epoch;
    this.#step = step;
    this.#order = undefined;
  }

  #epochOrder(): Int32Array {
    if (this.shuffle) return new Generator(this.seed, firstStream + this.#epoch).permutation(this.size);
    return Int32Array.from({ length: this.size }, (_, i) => i);
  }
}

function expectInteger(argument: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ArgumentError({
    op: 'EpochSampler',
    argument,
    wanted: `an integer from ${least} on`,
    got: String(value),
  });
}
