/**
 * Diagonal SSD (a decay for every head and state) beside the scans it stands between, at the same number of states:
 * the selective scan, which gets the steps and rates of a head once for every channel and computes the same numbers,
 * and the scalar SSD scan, with one rate per head. The TypeScript reference runs one head of a short sequence, and its
 * time is scaled by the number of states.
 *
 *   node bench/diagonal-ssd.mjs [--threads 2] [--batch 4] [--length 2048] [--heads 24] [--head-dim 64] [--state 16]
 *                               [--repetitions 9] [--json]
 */
import { parseArgs } from 'node:util';
import {
  createDeviceBuffer,
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
import { hardwareLine, markdownTable, median } from './timing.mjs';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '4' },
    length: { type: 'string', default: '2048' },
    heads: { type: 'string', default: '24' },
    'head-dim': { type: 'string', default: '64' },
    state: { type: 'string', default: '16' },
    repetitions: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
  },
});
const [threads, B, L, H, P, N, repetitions] = [
  'threads',
  'batch',
  'length',
  'heads',
  'head-dim',
  'state',
  'repetitions',
].map((name) => Number(values[name]));
setNumThreads(threads);

const onCpu = { backend: 'cpu' };
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

/** A tensor in 64-byte aligned memory. */
function made(shape, value) {
  const data = createDeviceBuffer('f32', sizeOf(shape));
  for (let i = 0; i < sizeOf(shape); i++) data.data[i] = value(i);
  return { data, shape };
}

let seed = 1;
const uniform = (low, high) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return low + ((high - low) * seed) / 2 ** 32;
};

const channels = H * P;
const numbers = ({ data }) => data.data;
const x = made([B, L, H, P], uniform(-1, 1));
const dt = made([B, L, H], uniform(0.01, 0.2));
const A = made([H, N], (i) => -1 - (i % N) * uniform(0.5, 1)());
const weights = { B: made([B, L, 1, N], uniform(-1, 1)), C: made([B, L, 1, N], uniform(-1, 1)) };
const D = made([H], uniform(-1, 1));
const gradOut = made([B, L, H, P], uniform(-1, 1));

const diagonal = { x, dt, A, ...weights, D };
const scalar = { ...diagonal, A: made([H], (h) => numbers(A)[h * N]) };
const selective = {
  u: { data: x.data, shape: [B, L, channels] },
  delta: made([B, L, channels], (i) => numbers(dt)[Math.floor(i / P)]),
  A: made([channels, N], (i) => numbers(A)[Math.floor(i / (P * N)) * N + (i % N)]),
  ...weights,
  D: made([channels], (i) => numbers(D)[Math.floor(i / P)]),
};

/** Outputs made once, so that no time goes into memory. */
const target = (shape) => made(shape, () => 0);
const ssdTargets = (rates) => ({
  gradX: target([B, L, H, P]),
  gradDt: target([B, L, H]),
  gradA: target(rates),
  gradB: target([B, L, 1, N]),
  gradC: target([B, L, 1, N]),
  gradD: target([H]),
});
const out = target([B, L, H, P]);
const flatOut = target([B, L, channels]);
const diagonalTargets = ssdTargets([H, N]);
const scalarTargets = ssdTargets([H]);
const selectiveTargets = {
  gradU: target([B, L, channels]),
  gradDelta: target([B, L, channels]),
  gradA: target([channels, N]),
  gradB: target([B, L, 1, N]),
  gradC: target([B, L, 1, N]),
  gradD: target([channels]),
};
const flatGrad = { data: gradOut.data, shape: [B, L, channels] };

const calls = {
  'diagonal SSD': [
    () => diagonalSsd({ ...diagonal, ...onCpu, out }),
    () => diagonalSsdBackward({ ...diagonal, gradOut, ...diagonalTargets, ...onCpu }),
  ],
  'selective scan': [
    () => selectiveScan({ ...selective, ...onCpu, out: flatOut }),
    () => selectiveScanBackward({ ...selective, gradOut: flatGrad, ...selectiveTargets, ...onCpu }),
  ],
  'scalar SSD': [
    () => ssdChunkScan({ ...scalar, ...onCpu, out }),
    () => ssdChunkScanBackward({ ...scalar, gradOut, ...scalarTargets, ...onCpu }),
  ],
};

/** Largest difference of two arrays over the largest number. */
function difference(ours, wanted) {
  let [gap, scale] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    gap = Math.max(gap, Math.abs(ours[i] - wanted[i]));
    scale = Math.max(scale, Math.abs(wanted[i]));
  }
  return gap / scale;
}

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
  const error = difference(arrayOf(a), arrayOf(b));
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
    data: Float64Array.from(numbers(tensor).subarray(0, sizeOf(shape))),
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
if (values.json) {
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
