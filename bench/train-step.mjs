/**
 * Training step of the WikiText-2 study's Mamba against PyTorch, same weights, same batch, same cores, one run.
 *
 *   node bench/train-step.mjs [--threads 2] [--steps 5] [--rounds 2] [--json]
 *
 * PyTorch is the faster of transformers' slow path and an eager loop over `unbind`. Both sides alternate, so
 * that a drift of the machine touches both. Fails when first loss or gradient norm differ by more than 1e-4
 * (relative), or when the step is less than 6 times as fast.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createModel, savePretrained } from '@statespace/models';
import { getBackendInfo, setNumThreads } from '@statespace/native-scan';
import { AdamW, clipGradNorm, Generator, scope, tensor } from '@statespace/tensor';
import { readIntegers } from './integer-options.mjs';
import { runJsonLines } from './json-lines.mjs';
import { findPython } from './python.mjs';
import { hardwareLine, markdownTable, median } from './timing.mjs';

const { threads, steps, rounds, json } = readIntegers({ threads: 2, steps: 5, rounds: 2 });
const batch = 64;
const seqLen = 128;
const vocabSize = 20000;
const wantedRatio = 6;
const agreement = 1e-4;
const peerScript = fileURLToPath(new URL('peers/mamba_train_step.py', import.meta.url));

const python = findPython(['torch', 'transformers', 'safetensors', 'numpy']);
setNumThreads(threads);

const work = mkdtempSync(join(tmpdir(), 'statespace-bench-'));
try {
  const model = createModel(
    { architecture: 'mamba', vocabSize, dModel: 64, dState: 16, numLayers: 2 },
    { generator: new Generator(0), device: 'cpu' },
  );
  await savePretrained(model, work);
  const numbers = randomTokens(2 * batch * seqLen);
  const batchFile = join(work, 'batch.i32');
  writeFileSync(batchFile, Buffer.from(numbers.buffer));

  const half = batch * seqLen;
  const ids = tensor(numbers.slice(0, half), { shape: [batch, seqLen], device: 'cpu' });
  const targets = tensor(numbers.slice(half), { shape: [batch, seqLen], device: 'cpu' });
  const parameters = model.namedParameters();
  const optimizer = new AdamW(parameters, { lr: 1e-3, weightDecay: 0.01 });

  /** One step: forward, backward, norm, AdamW; returns loss and gradient norm. */
  const step = () =>
    scope(() => {
      optimizer.zeroGrad();
      const { loss } = model.loss(ids, targets);
      loss.backward();
      const { norm } = clipGradNorm(parameters, Number.POSITIVE_INFINITY);
      optimizer.step();
      return { loss: loss.item(), norm: norm.item() };
    });

  const first = step();
  const ours = [];
  const peers = { eager: [], transformers: [] };
  let torch = '';
  for (let round = 0; round < rounds; round++) {
    for (const form of Object.keys(peers)) {
      for (let i = 0; i < steps; i++) {
        const start = performance.now();
        step();
        ours.push(performance.now() - start);
      }
      const options = { 'batch-file': batchFile, batch, length: seqLen, form, steps, threads };
      const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const [result] = runJsonLines(python, [peerScript, work, ...args]);
      expectClose(`first loss (${form})`, first.loss, result.firstLoss);
      expectClose(`first gradient norm (${form})`, first.norm, result.firstGradNorm);
      peers[form].push(...result.ms);
      torch = result.torch;
    }
  }
  report(ours, peers, torch, first);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Token ids from a fixed linear congruential sequence: the same on every machine. */
function randomTokens(count) {
  let state = 1n;
  return Int32Array.from({ length: count }, () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(vocabSize));
  });
}

function expectClose(what, ours, theirs) {
  const difference = Math.abs(ours - theirs) / Math.abs(theirs);
  if (difference <= agreement) return;
  throw new Error(
    `${what} differs: ${ours} here, ${theirs} in PyTorch (relative ${difference.toExponential(1)})`,
  );
}

function report(ours, peers, torch, first) {
  const mine = median(ours);
  const rows = [
    ['statespace', ours],
    ['PyTorch eager, unbind', peers.eager],
    ['PyTorch transformers', peers.transformers],
  ];
  const best = Math.min(median(peers.eager), median(peers.transformers));
  const ratio = best / mine;
  const isa = getBackendInfo().isa;
  if (json) {
    console.log(JSON.stringify({ ours, peers, ratio, torch, isa, threads, first }));
  } else {
    const cells = rows.map(([name, ms]) => [
      name,
      median(ms).toFixed(0),
      `${Math.min(...ms).toFixed(0)}-${Math.max(...ms).toFixed(0)}`,
      Math.round((batch * seqLen * 1e3) / median(ms)).toString(),
      (median(ms) / mine).toFixed(2),
    ]);
    console.log(
      markdownTable(
        ['training step, batch 64 x 128, vocabulary 20,000', 'median ms', 'range', 'tokens/s', 'ratio'],
        cells,
      ),
    );
    console.log(
      `\n${hardwareLine({ threads, isa, torch })}; first loss ${first.loss.toFixed(5)}, gradient norm ${first.norm.toFixed(5)}`,
    );
  }
  if (ratio < wantedRatio) {
    console.error(`${ratio.toFixed(2)} times as fast as the faster PyTorch form; ${wantedRatio} wanted.`);
    process.exitCode = 1;
  }
}
