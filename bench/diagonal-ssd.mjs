/**
 * Diagonal SSD (a decay for every head and state) beside the scans it stands between, at the same number of states:
 * the selective scan, which gets the steps and rates of a head once for every channel and computes the same numbers,
 * and the scalar SSD scan, with one rate per head. The TypeScript reference runs one head of a short sequence, and its
 * time is scaled by the number of states.
 *
 *   node bench/diagonal-ssd.mjs [--threads 2] [--batch 4] [--length 2048] [--heads 24] [--head-dim 64] [--state 16]
 *                               [--repetitions 9] [--json]
 */
import {
  diagonalSsd,
  diagonalSsdBackward,
  getBackendInfo,
  selectiveScan,
  selectiveScanBackward,
  setNumThreads,
  ssdChunkScan,
  ssdChunkScanBackward,
} from '@statespace/native-scan';
import { diagonalSsdBackwardRef, diagonalSsdRef } from '@statespace/ssd-core';
import { gradientsOf, Inputs } from './inputs.mjs';
import { readIntegers } from './integer-options.mjs';
import { errorOf } from './peers/case.mjs';
import { hardwareLine, markdownTable, median } from './timing.mjs';

const options = readIntegers({
  threads: 2,
  batch: 4,
  length: 2048,
  heads: 24,
  'head-dim': 64,
  state: 16,
  repetitions: 9,
});
const { threads, batch: B, length: L, heads: H, 'head-dim': P, state: N, repetitions, json } = options;
setNumThreads(threads);

const onCpu = { backend: 'cpu' };
const inputs = new Inputs();

/** A tensor whose entry i is value(i). */
function made(shape, value) {
  const tensor = inputs.empty(shape);
  const { data } = tensor.data;
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return tensor;
}

const channels = H * P;
const numbers = ({ data }) => data.data;
const x = inputs.uniform([B, L, H, P], -1, 1);
const dt = inputs.uniform([B, L, H], 0.01, 0.2);
const rates = numbers(inputs.uniform([H, N], 0.5, 1));
const A = made([H, N], (i) => -1 - (i % N) * rates[i]);
const weights = { B: inputs.uniform([B, L, 1, N], -1, 1), C: inputs.uniform([B, L, 1, N], -1, 1) };
const D = inputs.uniform([H], -1, 1);
const gradOut = inputs.uniform([B, L, H, P], -1, 1);

const diagonal = { x, dt, A, ...weights, D };
const scalar = { ...diagonal, A: made([H], (h) => numbers(A)[h * N]) };
const selective = {
  u: { data: x.data, shape: [B, L, channels] },
  delta: made([B, L, channels], (i) => numbers(dt)[Math.floor(i / P)]),
  A: made([channels, N], (i) => numbers(A)[Math.floor(i / (P * N)) * N + (i % N)]),
  ...weights,
  D: made([channels], (i) => numbers(D)[Math.floor(i / P)]),
};

// Outputs made once, so that no time goes into memory.
const out = inputs.empty([B, L, H, P]);
const flatOut = inputs.empty([B, L, channels]);
const diagonalGradients = gradientsOf(inputs, diagonal);
const scalarGradients = gradientsOf(inputs, scalar);
const selectiveGradients = gradientsOf(inputs, selective);
const flatGrad = { data: gradOut.data, shape: [B, L, channels] };

const calls = {
  'diagonal SSD': [
    () => diagonalSsd({ ...diagonal, ...onCpu, out }),
    () => diagonalSsdBackward({ ...diagonal, gradOut, ...diagonalGradients, ...onCpu }),
  ],
  'selective scan': [
    () => selectiveScan({ ...selective, ...onCpu, out: flatOut }),
    () => selectiveScanBackward({ ...selective, gradOut: flatGrad, ...selectiveGradients, ...onCpu }),
  ],
  'scalar SSD': [
    () => ssdChunkScan({ ...scalar, ...onCpu, out }),
    () => ssdChunkScanBackward({ ...scalar, gradOut, ...scalarGradients, ...onCpu }),
  ],
};

// A comparison of times is worth nothing unless both compute the same; this is also the warm-up.
const ours = calls['diagonal SSD'].map((call) => call());
const theirs = calls['selective scan'].map((call) => call());
const pairs = [
  ['out', ours[0].out, theirs[0].out],
  ['gradX', ours[1].gradX, theirs[1].gradU],
  ['gradB', ours[1].gradB, theirs[1].gradB],
  ['gradC', ours[1].gradC, theirs[1].gradC],
];
const arrayOf = ({ data }) => ('data' in data ? data.data : data);
for (const [name, a, b] of pairs) {
  const error = errorOf(arrayOf(a), arrayOf(b));
  if (!(error < 1e-5)) {
    console.error(`${name}: diagonal SSD and selective scan differ by ${error}`);
    process.exit(1);
  }
}
for (const call of calls['scalar SSD']) call();

/** Milliseconds of every call, one after another in each round, so that all see the same machine. */
const times = Object.fromEntries(Object.keys(calls).map((name) => [name, { forward: [], backward: [] }]));
const timed = (call) => {
  const start = performance.now();
  call();
  return performance.now() - start;
};
for (let round = 0; round < repetitions; round++) {
  for (const [name, [forward, backward]] of Object.entries(calls)) {
    times[name].forward.push(timed(forward));
    times[name].backward.push(timed(backward));
  }
}

/** The reference on one head, scaled to the whole. */
function referenceTimes() {
  const steps = Math.min(L, 256);
  const part = (tensor, shape) => ({
    data: Float64Array.from(
      numbers(tensor).subarray(
        0,
        shape.reduce((a, b) => a * b, 1),
      ),
    ),
    shape,
  });
  const inputs = {
    x: part(x, [1, steps, 1, P]),
    dt: part(dt, [1, steps, 1]),
    A: part(A, [1, N]),
    B: part(weights.B, [1, steps, 1, N]),
    C: part(weights.C, [1, steps, 1, N]),
    D: part(D, [1]),
  };
  const scale = (B * L * H) / steps;
  const backward = () => diagonalSsdBackwardRef({ ...inputs, gradOut: inputs.x });
  for (const call of [() => diagonalSsdRef(inputs), backward]) call();
  return {
    forward: Array.from({ length: 5 }, () => scale * timed(() => diagonalSsdRef(inputs))),
    backward: Array.from({ length: 5 }, () => scale * timed(backward)),
  };
}
times['TypeScript reference, float64, scaled'] = referenceTimes();

const states = B * L * channels * N;
if (json) {
  console.log(JSON.stringify({ shape: { B, L, H, P, N }, threads, isa: getBackendInfo().isa, times }));
} else {
  const base = times['diagonal SSD'];
  const cells = (ms, reference) => [
    median(ms).toFixed(1),
    (states / median(ms) / 1e6).toFixed(2),
    `${(median(ms) / median(reference)).toFixed(2)} x`,
  ];
  console.log(
    markdownTable(
      [
        `(${B}, ${L}, ${H}, ${P}), N ${N}`,
        'forward ms',
        'G states/s',
        'of diagonal SSD',
        'backward ms',
        'G states/s',
        'of diagonal SSD',
      ],
      Object.entries(times).map(([name, { forward, backward }]) => [
        name,
        ...cells(forward, base.forward),
        ...cells(backward, base.backward),
      ]),
    ),
  );
  console.log(`\n${hardwareLine({ threads, isa: getBackendInfo().isa })}`);
}
