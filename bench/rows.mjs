/**
 * Measurements as rows of the report, judged: `value` against `wanted`, at least, or at most where `most` is set; `met`
 * says whether it holds, and is absent where there is nothing to hold it against.
 */
import { featureCases } from './features/index.mjs';
import { kernelCases } from './kernels/index.mjs';

/** What narrower vectors may fall behind. */
const narrowerIsaPart = 0.85;
/** Of the better of the other libraries' matrix products. */
const gemmTarget = 0.9;
const featureCost = 1.1;
const featureOffCost = 1.02;
/** Of 16 times the length: a sixteenth more is the cost of tensors that leave the caches. */
const linearSlack = 1.25;
/** States kept in the backward pass: one in this many steps. */
const leastStepsBetweenStates = 16;
const memorySlack = 32 << 20;

/** Kernels against their limits; `narrower`: not the machine's widest vectors. */
export function kernelRows(measured, probes, narrower) {
  return measured.map(({ name, seconds }) => {
    const { shape, target, limit } = kernelCases.find(({ kernel }) => kernel === name);
    const limitSeconds = limit(shape, probes);
    return judged({
      group: 'kernels',
      name,
      isa: probes.isa,
      shape,
      seconds,
      limitSeconds,
      value: limitSeconds / seconds,
      wanted: target * (narrower ? narrowerIsaPart : 1),
    });
  });
}

const rate = ({ gflop, seconds }) => gflop / seconds.statespace;

/** Matrix products against the better of the other libraries, where there are some. */
export function productRows(measured, probes) {
  return measured.map((product) => {
    const { statespace, ...others } = product.seconds;
    const best = Math.min(...Object.values(others));
    return judged({
      group: 'matrix products',
      name: product.name,
      isa: probes.isa,
      seconds: statespace,
      others,
      peakFraction: rate(product) / probes.fmaGflops,
      value: best === Number.POSITIVE_INFINITY ? undefined : best / statespace,
      wanted: gemmTarget,
    });
  });
}

/** Those of narrower vectors: the part of their own peak beside the part that the widest reach of theirs. */
export function narrowProductRows(measured, probes, widest, widestProbes) {
  return measured.map((product) => {
    const peakFraction = rate(product) / probes.fmaGflops;
    const wide = widest.find((one) => one.name === product.name);
    return judged({
      group: 'matrix products',
      name: product.name,
      isa: probes.isa,
      seconds: product.seconds.statespace,
      peakFraction,
      value: peakFraction / (rate(wide) / widestProbes.fmaGflops),
      wanted: narrowerIsaPart,
    });
  });
}

/** Calls with a feature beside the plain call. */
export function featureRows(measured, probes) {
  return measured.map(({ name, secondsOff, secondsOn, bytes }) => {
    const { work } = featureCases.find((one) => one.name === name);
    const moving = bytes / (probes.streamTriadGBs * 1e9) / secondsOff;
    return judged({
      group: 'features',
      name,
      isa: probes.isa,
      seconds: secondsOn,
      secondsOff,
      value: secondsOn / secondsOff,
      wanted: featureCost * work(probes) + moving,
      most: true,
    });
  });
}

/** Kernels that have every feature and use none, beside the same ones built without them. */
export function featuresOffRows(measured, isa) {
  return measured.map(({ name, secondsShipped, secondsPlain }) =>
    judged({
      group: 'features switched off',
      name,
      isa,
      seconds: secondsShipped,
      secondsPlain,
      value: secondsShipped / secondsPlain,
      wanted: featureOffCost,
      most: true,
    }),
  );
}

/** A step of a long sequence beside one of a short sequence, and the memory that a call takes beside its tensors. */
export function longRows(measured) {
  return measured.flatMap(({ name, stateBytes, short, long }) => {
    const rows = [
      judged({
        group: 'long sequences',
        name: `${name}, time of a step at ${long.seqLen} beside ${short.seqLen}`,
        seconds: long.seconds,
        value: long.seconds / long.seqLen / (short.seconds / short.seqLen),
        wanted: linearSlack,
        most: true,
      }),
    ];
    if (long.extraBytes === undefined) return rows;
    const states = (stateBytes * long.seqLen) / leastStepsBetweenStates;
    rows.push(
      judged({
        group: 'long sequences',
        name: `${name}, MiB beside the tensors at ${long.seqLen}`,
        value: long.extraBytes / 2 ** 20,
        wanted: (states + memorySlack) / 2 ** 20,
        most: true,
      }),
    );
    return rows;
  });
}

function judged(row) {
  if (row.value === undefined) return row;
  return { ...row, met: row.most ? row.value <= row.wanted : row.value >= row.wanted };
}
