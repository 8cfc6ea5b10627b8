/** Filling in defaults and refusing what does not fit together. */
import { ConfigError } from '@statespace/ssd-core';
import {
  type DiagonalScanConfig,
  innerWidth,
  type Mamba2Config,
  type MambaConfig,
  type MambaDiagConfig,
  type ModelConfig,
  type ModelOptions,
  type SharedConfig,
} from './model-config.js';

const sharedDefaults = {
  expand: 2,
  dConv: 4,
  tieEmbeddings: true,
  useBias: false,
  useConvBias: true,
  normEps: 1e-5,
  embeddingStd: 0.02,
  timeStepMin: 1e-3,
  timeStepMax: 0.1,
  timeStepFloor: 1e-4,
} satisfies Partial<SharedConfig>;

const sharedKeys = [
  'architecture',
  'vocabSize',
  'dModel',
  'numLayers',
  'dState',
  ...(Object.keys(sharedDefaults) as (keyof typeof sharedDefaults)[]),
] as const;
const diagonalDefaults = { dState: 16, decay: 'diagonal', init: 'scaled' } as const;
const diagonalKeys: readonly (keyof DiagonalScanConfig | 'architecture')[] = [...sharedKeys, 'decay', 'init'];
const mambaKeys: readonly (keyof MambaConfig)[] = [...diagonalKeys, 'dtRank'];
const mamba2Keys: readonly (keyof Mamba2Config)[] = [
  ...sharedKeys,
  'headDim',
  'nGroups',
  'chunkSize',
  'timeStepLimit',
  'normGroups',
  'skipPerChannel',
];

/**
 * The whole configuration from the given part.
 * @throws {ConfigError} for an unknown key, a value out of range, or sizes that do not divide.
 */
export function completeConfig(options: ModelOptions): ModelConfig {
  const { config, keys } = complete(options);
  for (const key of Object.keys(options)) {
    if (!keys.includes(key)) fail(key, `one of ${keys.join(', ')}`, 'an unknown key');
  }
  checkShared(config);
  if (config.architecture === 'mamba2') checkMamba2(config);
  else checkDiagonalScan(config);
  if (config.architecture === 'mamba') positiveInteger('dtRank', config.dtRank);
  return config;
}

function complete(options: ModelOptions): { readonly config: ModelConfig; readonly keys: readonly string[] } {
  switch (options.architecture) {
    case 'mamba':
      return { config: completeMamba(options), keys: mambaKeys };
    case 'mamba-diag':
      return { config: completeDiagonal(options), keys: diagonalKeys };
    case 'mamba2':
      return { config: completeMamba2(options), keys: mamba2Keys };
    default: {
      const { architecture } = options as { readonly architecture: unknown };
      return fail('architecture', "'mamba', 'mamba-diag' or 'mamba2'", String(architecture));
    }
  }
}

function completeMamba(options: ModelOptions & { architecture: 'mamba' }): MambaConfig {
  return completeDiagonal({ dtRank: Math.ceil(options.dModel / 16), ...withoutUndefined(options) });
}

function completeDiagonal<O extends Partial<MambaConfig> | Partial<MambaDiagConfig>>(options: O) {
  const start = options.init === 'minimal' ? { embeddingStd: 1 } : {};
  return { ...sharedDefaults, ...diagonalDefaults, ...start, ...withoutUndefined(options) };
}

function completeMamba2(options: ModelOptions & { architecture: 'mamba2' }): Mamba2Config {
  return {
    ...sharedDefaults,
    dState: 128,
    headDim: 64,
    nGroups: 1,
    chunkSize: 256,
    timeStepLimit: [0, Number.POSITIVE_INFINITY],
    normGroups: 1,
    skipPerChannel: false,
    ...withoutUndefined(options),
  };
}

function checkShared(config: ModelConfig): void {
  for (const key of ['vocabSize', 'dModel', 'numLayers', 'dState'] as const)
    positiveInteger(key, config[key]);
  if (!Number.isInteger(config.dConv) || config.dConv < 2)
    fail('dConv', 'an integer from 2 on', config.dConv);
  const inner = config.expand * config.dModel;
  if (!(inner >= 1) || !Number.isInteger(inner)) {
    fail('expand', 'a number that makes expand * dModel a positive integer', config.expand);
  }
  for (const key of ['tieEmbeddings', 'useBias', 'useConvBias'] as const) {
    if (typeof config[key] !== 'boolean') fail(key, 'true or false', config[key]);
  }
  for (const key of ['normEps', 'embeddingStd', 'timeStepMin', 'timeStepFloor'] as const) {
    if (!(config[key] >= 0 && config[key] < Number.POSITIVE_INFINITY))
      fail(key, 'a number from 0 on', config[key]);
  }
  if (!(config.timeStepMin > 0)) fail('timeStepMin', 'a positive number', config.timeStepMin);
  if (!(config.timeStepMax >= config.timeStepMin && config.timeStepMax < Number.POSITIVE_INFINITY)) {
    fail('timeStepMax', `at least timeStepMin = ${config.timeStepMin}`, config.timeStepMax);
  }
}

function checkDiagonalScan(config: MambaConfig | MambaDiagConfig): void {
  if (config.decay !== 'diagonal' && config.decay !== 'scalar')
    fail('decay', "'diagonal' or 'scalar'", config.decay);
  if (config.init !== 'scaled' && config.init !== 'minimal')
    fail('init', "'scaled' or 'minimal'", config.init);
  if (config.architecture !== 'mamba' || config.init === 'scaled') return;
  for (const key of ['timeStepMin', 'timeStepMax', 'timeStepFloor'] as const) {
    if (config[key] !== sharedDefaults[key])
      fail(key, `init 'scaled': with 'minimal' no range of steps applies`, config[key]);
  }
}

function checkMamba2(config: Mamba2Config): void {
  for (const key of ['headDim', 'nGroups', 'chunkSize', 'normGroups'] as const)
    positiveInteger(key, config[key]);
  const inner = innerWidth(config);
  if (inner % config.headDim !== 0)
    fail('headDim', `a divisor of expand * dModel = ${inner}`, config.headDim);
  const heads = inner / config.headDim;
  if (heads % config.nGroups !== 0) fail('nGroups', `a divisor of the ${heads} heads`, config.nGroups);
  if (inner % config.normGroups !== 0) fail('normGroups', `a divisor of ${inner}`, config.normGroups);
  if (typeof config.skipPerChannel !== 'boolean')
    fail('skipPerChannel', 'true or false', config.skipPerChannel);
  const limit: readonly unknown[] = Array.isArray(config.timeStepLimit) ? config.timeStepLimit : [];
  const [low, high] = limit as readonly [number, number];
  if (limit.length !== 2 || !(low >= 0) || !(high >= low)) {
    fail('timeStepLimit', 'two numbers, 0 <= low <= high', JSON.stringify(config.timeStepLimit));
  }
}

function positiveInteger(key: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) fail(key, 'a positive integer', value);
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function fail(key: string, wanted: string, got: unknown): never {
  throw new ConfigError({ op: 'createModel', argument: key, wanted, got: String(got) });
}
