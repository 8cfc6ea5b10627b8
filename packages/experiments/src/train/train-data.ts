/** The windows a model is trained and judged on, from the data section of a configuration. */
import {
  type DownloadProgress,
  loadMobyDick,
  loadWikiText2,
  ngramEntropies,
  PARITY_IGNORE,
  paritySequences,
  type TextCorpus,
  type TokenBatch,
  tokenWindows,
  type Vocabulary,
} from '@statespace/datasets';
import type { TrainConfig } from '../config/train-config.js';

/** Samples that are fetched by index. */
export interface SampleSet {
  readonly count: number;
  readonly seqLen: number;
  gather(indices: ArrayLike<number>): TokenBatch;
}

export interface TrainData {
  readonly name: string;
  readonly vocabSize: number;
  /** Absent for tasks that are no text. */
  readonly vocabulary?: Vocabulary;
  readonly train: SampleSet;
  readonly heldOut: SampleSet;
  readonly test?: SampleSet;
  /** Held-out losses of simple models, nats per token, by name. */
  readonly references: Readonly<Record<string, number>>;
}

export interface LoadOptions {
  readonly signal?: AbortSignal;
  /** Called while a download comes in. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

const paritySizes = { train: 4096, heldOut: 512 } as const;
/** Apart from the streams of epochs and weights. */
const parityStreams = { train: 2 ** 44, heldOut: 2 ** 44 + 1 } as const;

/** Loads and cuts the data of `config`. @throws {DataError} when they are missing or not the expected bytes. */
export async function loadTrainData(config: TrainConfig, options: LoadOptions = {}): Promise<TrainData> {
  if (config.data.name === 'parity') return parityData(config);
  return textData(config, await loadCorpus(config, options));
}

function loadCorpus({ data }: TrainConfig, options: LoadOptions): Promise<TextCorpus> {
  const maxVocab = data.maxVocab === undefined ? {} : { maxVocab: data.maxVocab };
  if (data.name === 'moby-dick') return loadMobyDick({ level: data.level ?? 'char', ...maxVocab });
  return loadWikiText2({
    ...maxVocab,
    ...(data.dataDir === undefined ? {} : { dataDir: data.dataDir }),
    ...options,
  });
}

function textData({ data, loss }: TrainConfig, corpus: TextCorpus): TrainData {
  const { vocabulary, train, valid, test } = corpus;
  const { seqLen, trainMaxSamples, valMaxSamples } = data;
  const heldOut = tokenWindows(valid, { seqLen, ...limit(valMaxSamples) });
  const judged = valid.subarray(0, heldOut.count * (seqLen + 1));
  return {
    name: corpus.name,
    vocabSize: vocabulary.size,
    vocabulary,
    train: tokenWindows(train, { seqLen, ...limit(trainMaxSamples) }),
    heldOut,
    ...(test === undefined ? {} : { test: tokenWindows(test, { seqLen, ...limit(valMaxSamples) }) }),
    references: loss === 'full' ? references(train, judged, vocabulary.size) : {},
  };
}

/** Entropies of n-gram models that saw all the training text, on the held-out windows. */
function references(train: Int32Array, heldOut: Int32Array, vocabSize: number): Record<string, number> {
  const { unigram, bigram, trigram } = ngramEntropies(train, heldOut, vocabSize);
  return { unigram, bigram, trigram };
}

function parityData({ data, seed }: TrainConfig): TrainData {
  const make = (count: number, stream: number) =>
    paritySequences({ count, minLength: data.seqLen, maxLength: data.seqLen, seed, stream });
  const train = make(data.trainMaxSamples ?? paritySizes.train, parityStreams.train);
  const heldOut = make(data.valMaxSamples ?? paritySizes.heldOut, parityStreams.heldOut);
  return {
    name: 'parity',
    vocabSize: train.vocabSize,
    train: sampleRows(train),
    heldOut: sampleRows(heldOut),
    references: { chance: Math.log(2) },
  };
}

/** Rows of equally long arrays as a sample set. */
export function sampleRows(rows: Omit<TokenBatch, 'batch'> & { readonly count: number }): SampleSet {
  const { count, seqLen, inputs, targets, lastTargets } = rows;
  return {
    count,
    seqLen,
    gather: (indices) => {
      const batch = {
        batch: indices.length,
        seqLen,
        inputs: new Int32Array(indices.length * seqLen),
        targets: new Int32Array(indices.length * seqLen).fill(PARITY_IGNORE),
        lastTargets: new Int32Array(indices.length),
      };
      for (let row = 0; row < indices.length; row++) {
        const index = indices[row] as number;
        batch.inputs.set(inputs.subarray(index * seqLen, (index + 1) * seqLen), row * seqLen);
        batch.targets.set(targets.subarray(index * seqLen, (index + 1) * seqLen), row * seqLen);
        batch.lastTargets[row] = lastTargets[index] as number;
      }
      return batch;
    },
  };
}

function limit(maxSamples: number | undefined): { maxSamples?: number } {
  return maxSamples === undefined ? {} : { maxSamples };
}
