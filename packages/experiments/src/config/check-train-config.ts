/** Rules between the fields of a training configuration: no option is accepted and then ignored. */
import { ConfigError } from '@statespace/ssd-core';
import type { TrainConfig } from './train-config.js';

const onlyFor = {
  model: {
    decay: ['mamba', 'mamba-diag'],
    init: ['mamba', 'mamba-diag'],
    dtRank: ['mamba'],
    headDim: ['mamba2'],
    nGroups: ['mamba2'],
    chunkSize: ['mamba2'],
  },
  data: { level: ['moby-dick'], dataDir: ['wikitext2'], maxVocab: ['moby-dick', 'wikitext2'] },
} as const;

/**
 * Refuses options that do not apply to the chosen architecture, data set or schedule.
 * @throws {ConfigError} naming the option and where it does apply.
 */
export function checkTrainConfig(config: TrainConfig): void {
  const { model, data, trainer } = config;
  for (const [key, owners] of Object.entries(onlyFor.model)) {
    refuseForeign(
      'model',
      key,
      model[key as keyof typeof model],
      'model.architecture',
      model.architecture,
      owners,
    );
  }
  for (const [key, owners] of Object.entries(onlyFor.data)) {
    refuseForeign('data', key, data[key as keyof typeof data], 'data.name', data.name, owners);
  }
  if (data.name === 'moby-dick' && (data.level ?? 'char') === 'char' && data.maxVocab !== undefined) {
    fail('data.maxVocab', "data.level 'word'", "'char'");
  }
  if (trainer.epochs !== undefined && trainer.steps !== undefined) {
    fail('trainer.epochs', 'either trainer.epochs or trainer.steps', 'both');
  }
  if (trainer.epochs === undefined && trainer.steps === undefined) {
    fail('trainer', 'trainer.epochs or trainer.steps', 'neither');
  }
  if (trainer.batchSize % trainer.accumulate !== 0) {
    fail(
      'trainer.accumulate',
      `a divisor of trainer.batchSize ${trainer.batchSize}`,
      String(trainer.accumulate),
    );
  }
}

function refuseForeign(
  section: string,
  key: string,
  value: unknown,
  chooser: string,
  choice: string,
  owners: readonly string[],
): void {
  if (value === undefined || owners.includes(choice)) return;
  fail(`${section}.${key}`, `${chooser} ${owners.map((owner) => `'${owner}'`).join(' or ')}`, `'${choice}'`);
}

function fail(argument: string, wanted: string, got: string): never {
  throw new ConfigError({ op: 'config', argument, wanted, got });
}
