/**
 * Selective scan, forward and backward, on typed arrays through the addon.
 *
 *   node bench/selective-scan.mjs [--threads 2] [--batch 8] [--length 2048] [--dim 1536] [--state 16] [--json]
 */
import { parseArgs } from 'node:util';
import {
  createDeviceBuffer,
  getBackendInfo,
  selectiveScan,
  selectiveScanBackward,
  setNumThreads,
} from '@statespace/native-scan';
import { hardwareLine, markdownTable, median, timeCalls } from './timing.mjs';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '8' },
    length: { type: 'string', default: '2048' },
    dim: { type: 'string', default: '1536' },
    state: { type: 'string', default: '16' },
    repetitions: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
  },
});
const [threads, B, L, D, N, repetitions] = ['threads', 'batch', 'length', 'dim', 'state', 'repetitions'].map(
  (name) => Number(values[name]),
);
setNumThreads(threads);

let seed = 1;
/** A tensor in 64-byte aligned memory, uniform in [low, high). */
function random(shape, low, high) {
  const length = shape.reduce((a, b) => a * b, 1);
  const buffer = createDeviceBuffer('f32', length);
  for (let i = 0; i < length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    buffer.data[i] = low + ((high - low) * seed) / 2 ** 32;
  }
  return { data: buffer, shape };
}

const inputs = {
  u: random([B, L, D], -1, 1),
  delta: random([B, L, D], -4, 0),
  A: random([D, N], -16, -0.1),
  B: random([B, L, N], -1, 1),
  C: random([B, L, N], -1, 1),
  D: random([D], -1, 1),
  z: random([B, L, D], -1, 1),
  deltaBias: random([D], -1, 0),
  deltaSoftplus: true,
};
const out = random([B, L, D], 0, 1);
const gradOut = random([B, L, D], -1, 1);
const gradients = {
  gradU: random([B, L, D], 0, 1),
  gradDelta: random([B, L, D], 0, 1),
  gradA: random([D, N], 0, 1),
  gradB: random([B, L, N], 0, 1),
  gradC: random([B, L, N], 0, 1),
  gradD: random([D], 0, 1),
  gradZ: random([B, L, D], 0, 1),
  gradDeltaBias: random([D], 0, 1),
};

const forward = timeCalls(() => selectiveScan({ ...inputs, backend: 'cpu', out }), {
  repetitions,
  warmup: 2,
});
const backward = timeCalls(
  () => selectiveScanBackward({ ...inputs, gradOut, backend: 'cpu', ...gradients }),
  {
    repetitions,
    warmup: 2,
  },
);

const states = B * L * D * N;
if (values.json) {
  console.log(
    JSON.stringify({ shape: { B, L, D, N }, threads, isa: getBackendInfo().isa, forward, backward }),
  );
} else {
  const row = (name, ms) => [
    name,
    median(ms).toFixed(1),
    Math.min(...ms).toFixed(1),
    (states / median(ms) / 1e6).toFixed(2),
  ];
  console.log(
    markdownTable(
      [`selective scan (${B}, ${L}, ${D}), N ${N}`, 'median ms', 'best ms', 'G state updates/s'],
      [row('forward', forward), row('backward, all gradients', backward)],
    ),
  );
  console.log(`\n${hardwareLine({ threads, isa: getBackendInfo().isa })}`);
}
