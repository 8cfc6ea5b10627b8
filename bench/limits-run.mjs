/** Every kernel against its limit, every feature against the plain call, long sequences against short ones. */
import { getBackendInfo } from '@statespace/native-scan';
import { families } from './features.mjs';
import { kernelCases } from './kernels/index.mjs';
import { judgeProbes } from './machine.mjs';
import { runMeasurement, runProgram } from './native-programs.mjs';

/** What narrower vectors may fall behind. */
const narrowerIsaPart = 0.85;
/** Of the better of the other libraries' matrix products. */
const gemmTarget = 0.9;
const featureCost = 1.1;
/** Of 16 times the length: a sixteenth more is the cost of tensors that leave the caches. */
const linearSlack = 1.25;
/** States kept in the backward pass: one in this many steps. */
const leastStepsBetweenStates = 16;
const memorySlack = 32 << 20;

/**
 * One row a target: `value` against `wanted` (at least, or at most where `most` is set), `detail` in words.
 * @returns {{ probes: object, probeRows: object[], rows: object[], notes: string[] }}
 */
export function measureLimits({ threads, only }, machine, progress) {
  const { isa: best, isas } = getBackendInfo();
  const chosen = isas.includes('avx2') && best === 'avx512' ? [best, 'avx2'] : [best];
  const notes = [];
  if (machine.known === undefined) {
    notes.push(`The rates of this CPU (${machine.identity}) are not known: the probes are not judged.`);
  }
  progress('probes');
  const first = runProgram('probes', [], { threads, isa: best })[0];
  const probes = {};
  const rows = [];
  for (const isa of chosen) {
    probes[isa] = { ...first, ...runProgram('probes', ['fma'], { threads, isa })[0] };
    progress(`kernels, ${isa}`);
    const names = kernelCases.map(({ kernel }) => kernel).filter((kernel) => kernel.includes(only));
    const measure = (wanted, seconds) =>
      runMeasurement('kernels', [String(seconds), JSON.stringify(wanted)], { threads, isa });
    const timed = measure(names, isa === best ? 0.6 : 0.3);
    // Again after the kernels: a limit taken while a neighbour was busy would flatter them.
    const after = runProgram('probes', ['fma'], { threads, isa })[0];
    probes[isa].fmaGflops = Math.max(probes[isa].fmaGflops, after.fmaGflops);
    const judge = (measured) => kernelRows(measured, probes[isa], isa === best ? 1 : narrowerIsaPart);
    rows.push(...secondChance(judge(timed), (missed) => judge(measure(missed, 1))));
  }
  if ('matrix product'.includes(only) || only === '')
    rows.push(...gemmRows(chosen, probes, threads, notes, progress));
  if (only === '') {
    progress('features');
    const judge = (args) =>
      featureRows(runMeasurement('features', args, { threads, isa: best }), probes[best]);
    rows.push(...secondChance(judge(['0.08']), (missed) => judge(['0.3', JSON.stringify(missed)])));
    progress('long sequences');
    rows.push(...longRows(runMeasurement('long', [], { threads, isa: best })));
  }
  const second = runProgram('probes', [], { threads, isa: best })[0];
  for (const name of ['triadGBs', 'streamTriadGBs']) first[name] = Math.max(first[name], second[name]);
  const probeRows = chosen.flatMap((isa) => judgeProbes(machine, { ...first, ...probes[isa] }, threads));
  return { probes, probeRows, rows, notes };
}

/** Rows that missed are measured once more, for longer, and the better one counts: neighbours come and go. */
function secondChance(rows, measureAgain) {
  const missed = rows.filter(({ met }) => met === false).map(({ name }) => name);
  if (missed.length === 0) return rows;
  const again = new Map(measureAgain(missed).map((row) => [row.name, row]));
  return rows.map((row) => {
    const other = again.get(row.name);
    if (other === undefined) return row;
    return (row.most ? other.value < row.value : other.value > row.value) ? other : row;
  });
}

function kernelRows(timed, probes, part) {
  return timed.map(({ kernel, seconds }) => {
    const { shape, target, limit } = kernelCases.find((one) => one.kernel === kernel);
    const limitSeconds = limit(shape, probes);
    return judged({
      group: 'kernels',
      name: kernel,
      isa: probes.isa,
      shape,
      seconds,
      limitSeconds,
      value: limitSeconds / seconds,
      wanted: target * part,
    });
  });
}

function gemmRows([best, narrower], probes, threads, notes, progress) {
  progress('matrix products');
  const products = bestOf(
    runProgram('gemm', ['--json', '3'], { threads, isa: best }),
    runProgram('gemm', ['--json', '3'], { threads, isa: best }),
  );
  const peers = Object.keys(products[0].seconds).filter((name) => name !== 'statespace');
  if (peers.length === 0) {
    notes.push(
      'Neither OpenBLAS nor oneDNN was found at build: matrix products are not judged against them.',
    );
  }
  const rate = ({ gflop, seconds }) => gflop / seconds.statespace;
  const rows = products.map((product) => {
    const others = peers.map((name) => product.seconds[name]);
    return judged({
      group: 'matrix products',
      name: product.product,
      isa: best,
      seconds: product.seconds.statespace,
      others: product.seconds,
      peakFraction: rate(product) / probes[best].fmaGflops,
      value: peers.length === 0 ? undefined : Math.min(...others) / product.seconds.statespace,
      wanted: gemmTarget,
    });
  });
  if (narrower === undefined) return rows;
  const narrow = runProgram('gemm', ['--json', '2'], { threads, isa: narrower });
  return rows.concat(
    narrow.map((product, i) => {
      const peakFraction = rate(product) / probes[narrower].fmaGflops;
      return judged({
        group: 'matrix products',
        name: product.product,
        isa: narrower,
        seconds: product.seconds.statespace,
        peakFraction,
        // The part of its own peak beside the part that the wide vectors reach of theirs.
        value: peakFraction / (rate(products[i]) / probes[best].fmaGflops),
        wanted: narrowerIsaPart,
      });
    }),
  );
}

/** The best time of each contender over two runs, a while apart. */
function bestOf(first, second) {
  return first.map((product, i) => ({
    ...product,
    seconds: Object.fromEntries(
      Object.entries(product.seconds).map(([name, seconds]) => [
        name,
        Math.min(seconds, second[i].seconds[name]),
      ]),
    ),
  }));
}

function featureRows(measured, probes) {
  return measured.map(({ family, feature, direction, secondsOff, secondsOn, bytes }) => {
    const { work } = families.find((one) => one.family === family).features[feature];
    const grown = work === undefined ? 1 : work(probes)[direction];
    const moving = bytes / (probes.streamTriadGBs * 1e9) / secondsOff;
    return judged({
      group: 'features',
      name: `${family} ${direction}, ${feature}`,
      isa: probes.isa,
      seconds: secondsOn,
      secondsOff,
      value: secondsOn / secondsOff,
      wanted: featureCost * grown + moving,
      most: true,
    });
  });
}

function longRows(measured) {
  const rows = [];
  for (const long of measured) {
    const short = measured.find(
      (one) => one.family === long.family && one.direction === long.direction && one.seqLen < long.seqLen,
    );
    if (short === undefined) continue;
    const name = `${long.family} ${long.direction}`;
    const times = long.seqLen / short.seqLen;
    rows.push(
      judged({
        group: 'long sequences',
        name: `${name}, time of a step at ${long.seqLen} beside ${short.seqLen}`,
        seconds: long.seconds,
        value: long.seconds / short.seconds / times,
        wanted: linearSlack,
        most: true,
      }),
    );
    if (long.extraBytes === undefined) continue;
    rows.push(
      judged({
        group: 'long sequences',
        name: `${name}, MiB beside the tensors at ${long.seqLen}`,
        value: long.extraBytes / 2 ** 20,
        wanted: (long.stateBytes * long.seqLen) / leastStepsBetweenStates / 2 ** 20 + memorySlack / 2 ** 20,
        most: true,
      }),
    );
  }
  return rows;
}

function judged(row) {
  if (row.value === undefined) return row;
  return { ...row, met: row.most ? row.value <= row.wanted : row.value >= row.wanted };
}
