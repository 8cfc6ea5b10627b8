/** The rules accept what the experiments write, and notice when a stored number is another. */
import { beforeAll, describe, expect, test } from 'vitest';
import { setPath } from '../../config/layers.js';
import type { PlainObject } from '../../config/yaml-file.js';
import { runExperiment } from '../../experiment/run-experiment.js';
import { RunStore } from '../../runs/run-store.js';
import { temporaryFolder } from '../../testing/tiny-training.js';
import type { ClaimRule } from '../check-logs/claim-rules.js';
import { nonFinitePlaces } from '../json-numbers.js';
import { shortName } from '../study.js';
import { ssdDualityRules } from './rules.js';
import { ssdDuality } from './ssd-duality.js';

const timing = { device: 'reference', seqLens: [40, 80], minSampleMs: 0.05 };

/** As small as the claims about ranks allow. */
const small: Readonly<Record<string, PlainObject>> = {
  exp1: { seqLen: 8 },
  exp2: { seqLen: 10, decays: [0.5, 0.5, 0.8] },
  exp2b: { seqLen: 8, dState: 3 },
  exp3: { seqLens: [9], seeds: [0] },
  exp3b: { dStates: [1, 3], seqLen: 10, seeds: [0, 1] },
  dual: { seqLens: [12], kernels: 1, dState: 2 },
  exp4: timing,
  exp4b: { ...timing, trials: 2, repeats: 1 },
  exp5: { seqLens: [40] },
  exp5b: { seqLens: [20, 40], seeds: [0, 1] },
  precision: { device: 'reference', trials: 2, seqLens: [64] },
};

/** Metadata as it comes out of a log. */
const written: Record<string, PlainObject> = {};

beforeAll(async () => {
  using folder = temporaryFolder();
  const store = new RunStore(folder.path);
  for (const experiment of ssdDuality.experiments) {
    const outcome = await runExperiment(experiment, small[shortName(experiment)] as PlainObject, { store });
    if (outcome.status !== 'completed') throw new Error('interrupted');
    written[shortName(experiment)] = JSON.parse(JSON.stringify(outcome.result.metadata));
  }
}, 120_000);

function ruleOf(name: string): ClaimRule {
  const experiment = ssdDuality.experiments.find((one) => shortName(one) === name);
  return ssdDualityRules[experiment?.name ?? ''] as ClaimRule;
}

function breaches(name: string, meta: PlainObject): string[] {
  return ruleOf(name)(meta).map(({ field, message }) => `${field}: ${message}`);
}

describe.each(Object.keys(small))('%s', (name) => {
  test('what it writes satisfies its rule, times apart, and has no null', () => {
    const found = ruleOf(name)(written[name] as PlainObject);
    expect(found.filter(({ timing }) => timing !== true)).toEqual([]);
    expect(nonFinitePlaces(written[name])).toEqual([]);
  });

  test('metadata of another form are a breach, not an error', () => {
    expect(breaches(name, {})).not.toEqual([]);
  });
});

test('every experiment of the study has a rule', () => {
  expect(Object.keys(ssdDualityRules).sort()).toEqual(ssdDuality.experiments.map((one) => one.name).sort());
});

describe('an edited number is noticed', () => {
  test.each([
    ['exp1', 'max_abs_diff', 1e-9],
    ['exp2', 'max_abs_diff', 1e-9],
    ['exp2', 'generator_rank', 3],
    ['exp2', 'generator_rank', 1],
    ['exp2', 'ss_order', 3],
    ['exp2', 'kernel_rank', 2],
    ['exp2', 'N', 2],
    ['exp2b', 'max_abs_diff', 1e-9],
    ['exp2b', 'ss_order', 4],
    ['exp3', 'rows.0.theory', 2],
    ['exp3', 'rows.1.generator_rank', 1],
    ['exp3', 'rows.2.ss_order', 4],
    ['exp3', 'rows.2.kernel_rank', 3],
    ['exp3', 'max_abs_diff', 1e-9],
    ['exp3b', 'generator_ranks.1.0', 2],
    ['exp3b', 'generator_rank_mean.0', 1.1],
    ['exp3b', 'ss_order_std.1', 0.5],
    ['exp3b', 'ss_orders.0.1', 2],
    ['dual', 'binary_completion_rank_equals_new_columns', 1023],
    ['dual', 'random_kernels.0.max_error', 1e-3],
    ['dual', 'random_kernels.0.new_columns', 3],
    ['dual', 'random_kernels.0.narrower_exists', true],
    ['dual', 'bidiagonal.new_columns', 2],
    ['dual', 'identity_plus_corner.0.new_columns', 2],
    ['exp4', 'times.0.output_difference', 1e-9],
    ['exp4', 'times.0.speedup', 17],
    ['exp4', 'times.1.recurrence_ms', 1000],
    ['exp4', 'slope_recurrence', 3],
    ['exp4', 'slope_attention', 1],
    ['exp4', 'output_difference', 1e-13],
    ['exp4b', 'trials.0.output_difference', 1e-9],
    ['exp4b', 'times.0.recurrence_ms_mean', 1000],
    ['exp4b', 'times.1.attention_ms_ci95', 1000],
    ['exp4b', 'slope_attention', 1],
    ['exp5', 'ranks.0.corner_rank', 5],
    ['exp5', 'ranks.0.kernel_rank', 41],
    ['exp5', 'ranks.0.gap', 9],
    ['exp5', 'witness_rank', 63],
    ['exp5', 'trap_rank', 64],
    ['exp5b', 'summary.0.corner_rank_mean', 3],
    ['exp5b', 'summary.1.gap_std', 3],
    ['exp5b', 'ranks.3.corner_rank', 2],
    ['precision', 'errors.0.mean', 100],
  ])('%s: %s = %j', (name, path, value) => {
    const meta = structuredClone(written[name] as PlainObject);
    const before = breaches(name, meta);
    setIn(meta, path.split('.'), value);
    expect(meta).not.toEqual(written[name]);
    expect(breaches(name, meta).filter((breach) => !before.includes(breach))).not.toEqual([]);
  });
});

test('only how times grow is a matter of the machine', () => {
  const times = [
    { T: 100, recurrence_ms: 0.1, attention_ms: 1, speedup: 10, output_difference: 0 },
    { T: 200, recurrence_ms: 0.4, attention_ms: 2, speedup: 5, output_difference: 0 },
  ];
  const meta = { times, output_difference: 0, slope_recurrence: 2, slope_attention: 1 };
  expect(ruleOf('exp4')(meta)).toEqual([
    expect.objectContaining({ field: 'slope_recurrence', timing: true }),
    expect.objectContaining({ field: 'slope_attention', timing: true }),
    expect.objectContaining({ field: 'times[1].speedup', timing: true }),
  ]);
  expect(ruleOf('exp4')({ ...meta, slope_recurrence: 1 })).toEqual([
    { field: 'slope_recurrence', message: 'the other numbers of the row give 2, stored is 1' },
    expect.objectContaining({ field: 'slope_attention' }),
    expect.objectContaining({ field: 'times[1].speedup' }),
  ]);
});

/** `setPath` makes mappings of lists; here the lists are there already. */
function setIn(target: PlainObject, [first, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) setPath(target, first as string, value);
  else setIn(target[first as string] as PlainObject, rest, value);
}
