/**
 * Resident memory over a long training run: trains a small Mamba and prints the process's memory as it goes.
 *
 *   node bench/memory.mjs [--steps 2000] [--threads 2] [--json]
 *
 * Fails when memory grows by more than 8 MB after the first quarter of the steps.
 */
import { createModel } from '@statespace/models';
import { setNumThreads } from '@statespace/native-scan';
import { AdamW, clipGradNorm, Generator, scope, tensor } from '@statespace/tensor';
import { readIntegers } from './integer-options.mjs';
import { hardwareLine, markdownTable } from './timing.mjs';

const { steps, threads, json } = readIntegers({ steps: 2000, threads: 2 });
const allowedGrowth = 8;
const shape = [16, 128];
const vocabSize = 256;

setNumThreads(threads);
const model = createModel(
  { architecture: 'mamba', vocabSize, dModel: 64, dState: 16, numLayers: 2 },
  { generator: new Generator(0), device: 'cpu' },
);
const parameters = model.namedParameters();
const optimizer = new AdamW(parameters, { lr: 1e-3, weightDecay: 0.01 });

function trainStep(step) {
  scope(() => {
    const numbers = Int32Array.from(
      { length: shape[0] * shape[1] + 1 },
      (_, i) => (i * 31 + step * 7) % vocabSize,
    );
    const ids = tensor(numbers.slice(0, -1), { shape, device: 'cpu' });
    const targets = tensor(numbers.slice(1), { shape, device: 'cpu' });
    optimizer.zeroGrad();
    const { loss } = model.loss(ids, targets);
    loss.backward();
    clipGradNorm(parameters, 1);
    optimizer.step();
    return loss.item();
  });
}

const megabytes = () => process.memoryUsage().rss / 2 ** 20;
const rows = [];
let settled;
for (let step = 1; step <= steps; step++) {
  trainStep(step);
  // Finalisers and timers run only when the event loop turns, as between the steps of the trainer.
  if (step % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  if (step === Math.ceil(steps / 4)) settled = megabytes();
  if (step % Math.ceil(steps / 8) === 0) rows.push([step, megabytes()]);
}
const growth = megabytes() - settled;
if (json) {
  console.log(JSON.stringify({ threads, megabytesAtStep: Object.fromEntries(rows), growth }));
} else {
  const cells = rows.map(([step, size]) => [step, size.toFixed(1)]);
  console.log(markdownTable(['training step', 'resident memory, MB'], cells));
  console.log(`\nGrowth after step ${Math.ceil(steps / 4)}: ${growth.toFixed(1)} MB; ${hardwareLine()}`);
}
if (growth > allowedGrowth) process.exitCode = 1;
