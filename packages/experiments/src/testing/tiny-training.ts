/** A training small enough for tests on any backend. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../config/parse-config.js';
import { type TrainConfig, type TrainConfigInput, trainConfigSchema } from '../config/train-config.js';
import type { PlainObject } from '../config/yaml-file.js';
import type { Run } from '../runs/run.js';
import { RunStore } from '../runs/run-store.js';
import type { TrainEvent, TrainResult } from '../train/events.js';
import { sampleRows, type TrainData } from '../train/train-data.js';

export const tinyConfigInput = {
  name: 'tiny',
  model: { dModel: 8, dState: 2, numLayers: 1 },
  data: { name: 'parity', seqLen: 6, trainMaxSamples: 20, valMaxSamples: 4 },
  optimizer: { lr: 0.02, clipNorm: 1 },
  trainer: { steps: 12, batchSize: 4, logEvery: 3, evalEvery: 4, checkpointEvery: 5 },
} satisfies TrainConfigInput;

/** The tiny configuration with `changes` on top, section by section. */
export function tinyConfig(
  changes: { [K in keyof TrainConfigInput]?: object | string | number } = {},
): TrainConfig {
  const merged: PlainObject = { ...tinyConfigInput };
  for (const [key, value] of Object.entries(changes)) {
    const below = merged[key];
    merged[key] = typeof value === 'object' ? { ...(below as object), ...value } : value;
  }
  return parseConfig(trainConfigSchema, merged, 'test');
}

/** A folder that `dispose` removes. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'statespace-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function newRun(root: string, config: TrainConfig): Promise<Run> {
  const params = config as unknown as PlainObject;
  return new RunStore(root).create({
    experiment: 'tiny',
    program: 'train',
    seed: config.seed,
    config: params,
    environment: {},
  });
}

/** Takes every event of a training; `onEvent` may stop it by throwing. */
export async function drain(
  events: AsyncGenerator<TrainEvent, TrainResult>,
  onEvent: (event: TrainEvent) => void = () => {},
): Promise<{ events: TrainEvent[]; result: TrainResult }> {
  const seen: TrainEvent[] = [];
  for (;;) {
    const next = await events.next();
    if (next.done === true) return { events: seen, result: next.value };
    seen.push(next.value);
    onEvent(next.value);
  }
}

/** Metric rows without what a clock or the memory decides. */
export function comparableRows(run: Run): object[] {
  const lines = readFileSync(join(run.directory, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { time: _time, tokensPerSecond: _rate, rssBytes: _rss, ...row } = JSON.parse(line);
    return row;
  });
}

/** Rows of tokens 0 to 2, the same for every call. */
export function fixedData(): TrainData {
  const rows = (count: number) => {
    const inputs = Int32Array.from({ length: count * 6 }, (_, i) => (i * 7 + (i >> 2)) % 3);
    const targets = inputs.map((token) => (token + 1) % 3);
    return sampleRows({
      count,
      seqLen: 6,
      inputs,
      targets,
      lastTargets: targets.filter((_, i) => i % 6 === 5),
    });
  };
  return {
    name: 'fixed',
    vocabSize: 3,
    train: rows(10),
    heldOut: rows(4),
    references: { chance: Math.log(3) },
  };
}
