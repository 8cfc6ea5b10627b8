/** The whole comparison on a handful of windows; needs the corpus. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runExperiment } from '../../experiment/run-experiment.js';
import { readRowLog } from '../../metrics/row-log.js';
import { RunStore } from '../../runs/run-store.js';
import { temporaryFolder } from '../../testing/tiny-training.js';
import { type RunRow, runRowSchema } from './run-row.js';
import { wikitext2Comparison } from './wikitext2-comparison.js';

const corpus = join(process.env.STATESPACE_DATA ?? '', 'wikitext-2');

describe.skipIf(!process.env.STATESPACE_DATA || !existsSync(corpus))(
  'wikitext2-comparison (STATESPACE_DATA)',
  () => {
    const tiny = {
      ...{
        dataDir: corpus,
        device: 'reference',
        seqLen: 8,
        maxVocab: 40,
        trainMaxSamples: 24,
        valMaxSamples: 8,
      },
      ...{ dModel: 8, nState: 2, nLayers: 1, epochs: 2, batchSize: 8, lr: 0.01, seeds: [0, 1] },
    };
    const numbers = (path: string) =>
      readRowLog(path, runRowSchema)
        .map(({ seconds: _clock, ts: _time, ...row }: RunRow) => row)
        .sort((a, b) => a.model.localeCompare(b.model) || a.seed - b.seed);

    test('a study that was stopped goes on, and ends with the numbers of an unbroken one', async () => {
      using folder = temporaryFolder();
      const store = new RunStore(join(folder.path, 'outputs'));
      const [whole, broken] = ['whole', 'broken'].map((name) => join(folder.path, name)) as [string, string];
      const unbroken = await runExperiment(wikitext2Comparison, { ...tiny, plotDir: whole }, { store });
      expect(unbroken).toMatchObject({
        status: 'completed',
        result: { metadata: { trainings: { now: 4, before: 0 } } },
      });

      const controller = new AbortController();
      const stopped = runExperiment(
        wikitext2Comparison,
        { ...tiny, plotDir: broken },
        {
          store,
          signal: controller.signal,
          report: (event) => {
            if (event.type === 'note' && event.text.includes('; 1 of 4')) controller.abort();
          },
        },
      );
      await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      const log = join(broken, 'train_runs.jsonl');
      expect(readRowLog(log, runRowSchema)).toHaveLength(1);

      const rest = await runExperiment(wikitext2Comparison, { ...tiny, plotDir: broken }, { store });
      expect(rest).toMatchObject({
        result: { passed: true, metadata: { trainings: { now: 3, before: 1 } } },
      });
      expect(numbers(log)).toEqual(numbers(join(whole, 'train_runs.jsonl')));
      if (rest.status !== 'completed') throw new Error('not completed');
      const { differences } = rest.result.metadata as { differences: { seeds: number[] }[] };
      expect(differences.map(({ seeds }) => seeds)).toEqual([[0, 1]]);
    });

    test('--save-plots draws every training, the run folder has the bands with their numbers', async () => {
      using folder = temporaryFolder();
      const store = new RunStore(join(folder.path, 'outputs'));
      const options = { ...tiny, ablation: true, seeds: [3], epochs: 1, savePlots: true };
      const outcome = await runExperiment(wikitext2Comparison, options, { store });
      if (outcome.status !== 'completed') throw new Error('not completed');
      const shared = join(folder.path, 'outputs', 'wikitext2_comparison');
      expect(readdirSync(shared).sort()).toEqual([
        'train_runs.jsonl',
        ...['SSD_diag_exp', 'SSD_scalar_exp', 'simple_scalar', 'simple'].map(
          (name) => `wikitext2_mamba_${name}_seed3.png`,
        ),
      ]);
      const { run, result } = outcome;
      for (const path of result.artifacts) expect(existsSync(join(run.directory, path)), path).toBe(true);
      const summary = result.artifacts.find((path) => path.endsWith('.json')) as string;
      const { models } = JSON.parse(readFileSync(join(run.directory, summary), 'utf8'));
      expect(models).toHaveLength(4);
    });
  },
);
