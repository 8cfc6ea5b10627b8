/** Other libraries on the same inputs, in turns with ours. Each is optional; a missing one is named. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getNumThreads, setNumThreads } from '@statespace/native-scan';
import { Inputs } from '../inputs.mjs';
import { runJsonLines } from '../json-lines.mjs';
import { findPython } from '../python.mjs';
import { bestTimes } from '../timing.mjs';
import { errorOf } from './case.mjs';
import { cases, ourCalls, writeCase } from './cases.mjs';

/** Results may differ by this part of the largest number: float32 sums of up to 2,048 steps in another order. */
const agreement = 1e-4;

const inPython = (script, ...modules) => ({
  start: () => ({ command: findPython(modules), script: path(script) }),
});
const inNode = (script, ...packages) => ({
  start() {
    const resolve = createRequire(path(script)).resolve;
    try {
      for (const name of packages) resolve(name);
    } catch (cause) {
      throw new Error(`${packages.join(', ')} not found: npm install --prefix bench/peers --ignore-scripts`, {
        cause,
      });
    }
    return { command: process.execPath, script: path(script) };
  },
});
const path = (script) => fileURLToPath(new URL(script, import.meta.url));

const peers = {
  torch: inPython('torch_peer.py', 'torch', 'numpy'),
  jax: inPython('jax_peer.py', 'jax', 'numpy'),
  onnxruntime: inPython('onnxruntime_peer.py', 'onnxruntime', 'onnx', 'numpy'),
  tfjs: inNode('tfjs-peer.mjs', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'),
  'jax-js': inNode('jax-js-peer.mjs', '@jax-js/jax'),
};

/** What `--peers` takes; `reference` is our own TypeScript. */
export const peerNames = [...Object.keys(peers), 'reference'];

/**
 * Times of the wanted peers in the named cases; ours is measured again after each peer, and its best counts.
 * @returns {{ cases: object[], versions: object, missing: string[] }}
 */
export function measurePeers({ threads, names, peers: wanted, progress }) {
  const missing = [];
  const skip = (what, error) => {
    missing.push(`${what}: ${error.message}`);
    progress(`without ${what}: ${error.message}`);
  };
  const started = [];
  for (const name of wanted.filter((one) => one !== 'reference')) {
    try {
      started.push({ name, ...peers[name].start() });
    } catch (error) {
      skip(name, error);
    }
  }
  const before = getNumThreads();
  const folder = mkdtempSync(join(tmpdir(), 'statespace-bench-'));
  setNumThreads(threads);
  try {
    const versions = {};
    const measured = names.map((name, i) => {
      progress(name);
      const run = (peer, caseFolder) => {
        try {
          const lines = runPeer(peer, threads, caseFolder);
          Object.assign(versions, ...lines.map((line) => line.versions));
          return lines.filter((line) => line.versions === undefined);
        } catch (error) {
          skip(`${peer.name}, ${name}`, error);
          return [];
        }
      };
      return measureCase(name, {
        folder: join(folder, String(i)),
        started,
        run,
        withReference: wanted.includes('reference'),
      });
    });
    return { cases: measured, versions, missing };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    setNumThreads(before);
  }
}

function measureCase(name, { folder, started, run, withReference }) {
  const one = cases[name];
  const inputs = new Inputs();
  const args = one.inputs(inputs, one.shape);
  const ours = ourCalls(one, inputs, args, 'cpu');
  const directions = ours.training === undefined ? ['forward'] : ['forward', 'training'];
  for (const direction of directions) ours[direction]();
  writeCase(folder, name, one, args, ours);
  const best = Object.fromEntries(directions.map((direction) => [direction, Number.POSITIVE_INFINITY]));
  const measureOurs = () => {
    for (const direction of directions) {
      best[direction] = Math.min(best[direction], bestTimes([ours[direction]], 0.3)[0]);
    }
  };
  const contenders = [];
  measureOurs();
  for (const peer of started) {
    for (const { contender, direction, seconds, error } of run(peer, folder)) {
      contenders.push({ name: contender, direction, seconds, error });
    }
    measureOurs();
  }
  if (withReference) {
    const reference = ourCalls(one, inputs, args, 'reference');
    for (const direction of directions) {
      const [seconds] = bestTimes([reference[direction]], 0);
      const [got, expected] =
        direction === 'forward' ? [reference.out, ours.out] : [reference.gradient, ours.gradient];
      const error = errorOf(got.data.data, expected.data.data);
      contenders.push({ name: 'TypeScript reference', direction, seconds, error });
    }
  }
  inputs.dispose();
  const apart = contenders.find(({ error }) => !(error <= agreement));
  if (apart !== undefined) {
    throw new Error(
      `${name}: ${apart.name} (${apart.direction}) differs from ours by ${apart.error} of the largest number; ${agreement} is allowed.`,
    );
  }
  return { case: name, ours: best, contenders };
}

const runPeer = ({ command, script }, threads, folder) =>
  runJsonLines(command, [script, String(threads), folder], {
    OMP_NUM_THREADS: String(threads),
    TF_CPP_MIN_LOG_LEVEL: '2',
  });
