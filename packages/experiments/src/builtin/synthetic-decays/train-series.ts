/** Fits a model of a series by Adam on the mean squared error. */
import { setImmediate } from 'node:timers/promises';
import { type DecaySequences, decaySequences, EpochSampler } from '@statespace/datasets';
import { randomParameters } from '@statespace/models';
import { AbortedError, NonFiniteError } from '@statespace/ssd-core';
import { Adam, Generator, noGrad, scope, type Tensor, tensor } from '@statespace/tensor';
import type { DecayParams, SeriesModelName } from './params.js';
import { LinearDecays, type SeriesModel, seriesModel } from './series-models.js';

export interface SeriesTraining {
  readonly parameters: number;
  /** Mean squared error per epoch: over the batches as they were trained on, and held out after the epoch. */
  readonly trainErrors: readonly number[];
  readonly heldOutErrors: readonly number[];
  /** The decays and gains of the linear model, largest decay first; absent for a block. */
  readonly fitted: readonly { readonly decay: number; readonly gain: number }[] | undefined;
  readonly seconds: number;
}

export interface SeriesData {
  readonly train: DecaySequences;
  readonly heldOut: DecaySequences;
}

/** Training and held-out sequences of a seed. */
export function seriesData(params: DecayParams): SeriesData {
  const { lambdas, coeffs, seqLen, noiseStd, seed } = params;
  const shared = { lambdas, coeffs, seqLen, noiseStd, seed };
  return {
    train: decaySequences({ ...shared, count: params.trainSamples }),
    heldOut: decaySequences({ ...shared, count: params.valSamples, stream: 1 }),
  };
}

/** Random stream of the weights, apart from those of the data and of the order of the sequences. */
const weightStream = 2 ** 41;

/** @throws {NonFiniteError} when the error is no number. @throws {AbortedError} when `signal` fires. */
export async function trainSeries(
  name: SeriesModelName,
  states: number,
  params: DecayParams,
  { train, heldOut }: SeriesData,
  { device, signal }: { readonly device: string; readonly signal: AbortSignal },
): Promise<SeriesTraining> {
  const begin = performance.now();
  const source = randomParameters(new Generator(params.seed, weightStream), { device });
  const model = seriesModel(name, source, states, params);
  const optimizer = new Adam(model.namedParameters(), { lr: params.lr });
  const { batchSize, seed } = params;
  const sampler = new EpochSampler({ size: train.count, batchSize, seed });
  const trainErrors: number[] = [];
  const heldOutErrors: number[] = [];
  try {
    for (let epoch = 1; epoch <= params.epochs; epoch++) {
      let sum = 0;
      for (let step = 0; step < sampler.stepsPerEpoch; step++) {
        if (signal.aborted) throw new AbortedError({ op: 'trainSeries', cause: signal.reason });
        const rows = sampler.next();
        sum += rows.length * trainStep(model, optimizer, train, rows);
      }
      trainErrors.push(finite(sum / train.count, epoch));
      heldOutErrors.push(finite(judge(model, heldOut), epoch));
      await setImmediate();
    }
    const fitted = model instanceof LinearDecays ? model.fitted() : undefined;
    const seconds = (performance.now() - begin) / 1000;
    return { parameters: model.parameterCount, trainErrors, heldOutErrors, fitted, seconds };
  } finally {
    optimizer.zeroGrad();
    optimizer.dispose();
    model.dispose();
  }
}

function trainStep(model: SeriesModel, optimizer: Adam, data: DecaySequences, rows: Int32Array): number {
  return scope(() => {
    optimizer.zeroGrad();
    const error = meanSquare(model, data, rows);
    error.backward();
    optimizer.step();
    return error.item();
  });
}

function judge(model: SeriesModel, data: DecaySequences): number {
  const rows = Int32Array.from({ length: data.count }, (_, row) => row);
  return noGrad(() => scope(() => meanSquare(model, data, rows).item()));
}

function meanSquare(
  model: SeriesModel,
  { inputs, targets, seqLen }: DecaySequences,
  rows: Int32Array,
): Tensor {
  const { device } = model.parameters()[0] as Tensor;
  const gathered = (values: Float64Array): Tensor => {
    const batch = new Float32Array(rows.length * seqLen);
    for (const [i, row] of rows.entries())
      batch.set(values.subarray(row * seqLen, (row + 1) * seqLen), i * seqLen);
    return tensor(batch, { shape: [rows.length, seqLen], device });
  };
  return model.forward(gathered(inputs)).sub(gathered(targets)).square().mean();
}

function finite(error: number, epoch: number): number {
  if (Number.isFinite(error)) return error;
  throw new NonFiniteError({
    op: 'trainSeries',
    argument: `mean squared error of epoch ${epoch}`,
    wanted: 'a finite number',
    got: String(error),
    hint: 'A lower --lr often helps',
  });
}
