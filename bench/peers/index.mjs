/** Other libraries on the same inputs, in turns with ours. Each is optional; a missing one is named. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getNumThreads, setNumThreads } from '@statespace/native-scan';
import { Inputs } from '../inputs.mjs';
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
 * Times of every contender of every case; ours is measured again before each peer, and its best counts.
 * @returns {{ peers: { cases: object[], versions: object, missing: string[] } }}
 */
export function measurePeers({ threads, peers: wanted }, progress) {
  const started = [];
  const missing = [];
  for (const name of wanted.filter((one) => one !== 'reference')) {
    try {
      started.push({ name, ...peers[name].start() });
    } catch (error) {
      missing.push(`${name}: ${error.message}`);
      progress(`without ${name}: ${error.message}`);
    }
  }
  const before = getNumThreads();
  const folder = mkdtempSync(join(tmpdir(), 'statespace-bench-'));
  setNumThreads(threads);
  try {
    const versions = {};
    const results = Object.entries(cases).map(([name, one], i) => {
      progress(name);
      return measureCase({
        name,
        one,
        folder: join(folder, String(i)),
        started,
        wanted,
        threads,
        versions,
        missing,
        progress,
      });
    });
    return { peers: { cases: results, versions, missing } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    setNumThreads(before);
  }
}

function measureCase({ name, one, folder, started, wanted, threads, versions, missing, progress }) {
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
    try {
      for (const line of runPeer(peer, threads, folder)) {
        if (line.versions) Object.assign(versions, line.versions);
        else
          contenders.push({
            name: line.contender,
            direction: line.direction,
            seconds: line.seconds,
            error: line.error,
          });
      }
    } catch (error) {
      missing.push(`${peer.name}, ${name}: ${error.message}`);
      progress(`without ${peer.name} here: ${error.message}`);
    }
    measureOurs();
  }
  if (wanted.includes('reference')) {
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

function runPeer({ command, script }, threads, folder) {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), TF_CPP_MIN_LOG_LEVEL: '2' };
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  const result = spawnSync(command, [script, String(threads), folder], {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(
      `ended with ${result.signal ?? `code ${result.status}`}: ${result.stderr.trim().split('\n').at(-1)}`,
    );
  }
  return result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}
