/** Every kernel against its limit, every feature against the plain call, long sequences against short ones. */
import { judgeProbes } from './machine.mjs';
import * as nativePrograms from './native-programs.mjs';
import {
  featureRows,
  featuresOffRows,
  kernelRows,
  longRows,
  narrowProductRows,
  productRows,
} from './rows.mjs';

/**
 * Measures all that is chosen, with probes of the machine before, between and after. The fastest probes count, and
 * rows are judged when all is measured: a limit taken while a neighbour was busy would flatter the kernels. What misses is
 * measured once more, for longer, and the best times count: neighbours come and go.
 * @param isas instruction sets, the widest first. @param chosen as selection.mjs gives it.
 * @returns {{ probes: object, probeRows: object[], rows: object[], notes: string[] }} `probes` by instruction set.
 */
export function measureLimits({ threads, isas, chosen, machine, progress }, programs = nativePrograms) {
  const probed = [];
  const probe = () => {
    progress('probes');
    probed.push(measureProbes(programs, isas, threads));
  };
  const fastest = () => probed.reduce((one, other) => eachNumber(one, other, Math.max));
  const measured = {};
  const measureOnce = (sections) => {
    for (const { title, names, measure } of sections) {
      progress(title);
      measured[title] = measure(names, false);
    }
  };
  const { kernels, others } = sectionsOf({ threads, isas, chosen }, programs);
  probe();
  measureOnce(kernels);
  probe();
  measureOnce(others);
  const sections = [...kernels, ...others];
  for (const { title, measure, rows } of sections) {
    const missed = measured[title].filter((one) =>
      rows([one], fastest(), measured).some(({ met }) => met === false),
    );
    if (missed.length === 0) continue;
    progress(`${title}, what missed once more`);
    const again = measure(
      missed.map(({ name }) => name),
      true,
    );
    measured[title] = bestOfEach(measured[title], again);
  }
  probe();
  const probes = fastest();
  return {
    probes,
    probeRows: judgeProbes(machine, Object.values(probes), threads),
    rows: sections.flatMap(({ title, rows }) => rows(measured[title], probes, measured)),
    notes: notesOn(machine, probed, measured),
  };
}

/** The triads are those of the widest instruction set for all: they depend on it but little. */
function measureProbes({ runProgram }, [widest, ...narrower], threads) {
  const [all] = runProgram('probes', [], { threads, isa: widest });
  const others = narrower.map((isa) => {
    const [{ fmaGflops }] = runProgram('probes', ['fma'], { threads, isa });
    return [isa, { ...all, isa, fmaGflops }];
  });
  return Object.fromEntries([[widest, all], ...others]);
}

/** Two results of one form, number by number: `pick` is Math.min for times and Math.max for rates. */
function eachNumber(one, other, pick) {
  if (typeof one === 'number') return pick(one, other);
  if (typeof one !== 'object') return one;
  return Object.fromEntries(
    Object.entries(one).map(([name, value]) => [name, eachNumber(value, other[name], pick)]),
  );
}

/** `first`, with the better times where something was measured again. */
function bestOfEach(first, again) {
  return first.map((one) => {
    const other = again.find(({ name }) => name === one.name);
    return other === undefined ? one : eachNumber(one, other, Math.min);
  });
}

const productsTitle = (isa) => `matrix products, ${isa}`;

/** Of each section: its title; `measure`, by names, the second time for longer; and the rows of what was measured. */
function sectionsOf({ threads, isas: [widest, ...narrower], chosen }, { runProgram, runMeasurement }) {
  const measurement = (script, isa, seconds) => (names, again) =>
    runMeasurement(script, [String(seconds[again ? 1 : 0]), JSON.stringify(names)], { threads, isa });
  const kernels = [widest, ...narrower].map((isa) => ({
    title: `kernels, ${isa}`,
    names: chosen.kernels,
    measure: measurement('kernels', isa, isa === widest ? [0.6, 0.9] : [0.3, 0.6]),
    rows: (measured, probes) => kernelRows(measured, probes[isa], isa !== widest),
  }));
  const products = (isa, rounds, names = []) =>
    runProgram('gemm', ['--json', String(rounds), ...names], { threads, isa });
  const widestProducts = {
    title: productsTitle(widest),
    names: chosen.products,
    measure: (names, again) => (again ? products(widest, 6, names) : products(widest, 3)),
    rows: (measured, probes) => productRows(measured, probes[widest]),
  };
  const narrowProducts = narrower.map((isa) => ({
    title: productsTitle(isa),
    names: chosen.products,
    measure: (names, again) => (again ? products(isa, 6, names) : products(isa, 2)),
    rows: (measured, probes, all) =>
      narrowProductRows(measured, probes[isa], all[productsTitle(widest)], probes[widest]),
  }));
  const features = {
    title: 'features',
    names: chosen.features,
    measure: measurement('features', widest, [0.08, 0.3]),
    rows: (measured, probes) => featureRows(measured, probes[widest]),
  };
  const featuresOff = {
    title: 'features switched off',
    names: chosen.featuresOff,
    measure: (names, again) =>
      runProgram('features_off', [again ? '1.5' : '0.3', ...names], { threads, isa: widest }),
    rows: (measured) => featuresOffRows(measured, widest),
  };
  const longSequences = {
    title: 'long sequences',
    names: chosen.longSequences,
    measure: measurement('long', widest, [0.1, 0.3]),
    rows: (measured) => longRows(measured),
  };
  const some = ({ names }) => names.length > 0;
  return {
    kernels: kernels.filter(some),
    others: [widestProducts, ...narrowProducts, features, featuresOff, longSequences].filter(some),
  };
}

/** The slowest and the fastest probe of a quiet machine differ by less. */
const steadyProbes = 1.15;

/** What could not be judged, and what the judgement depends on. */
function notesOn({ known, identity }, probed, measured) {
  const notes = [];
  if (known === undefined) {
    notes.push(`The rates of this CPU (${identity}) are not known: the probes are not judged.`);
  }
  const triads = probed.map((probes) => Object.values(probes)[0].streamTriadGBs);
  const [slowest, fastest] = [Math.min(...triads), Math.max(...triads)];
  if (fastest > steadyProbes * slowest) {
    notes.push(
      `The triad past the caches moved between ${slowest.toFixed(1)} and ${fastest.toFixed(1)} GB/s: limits follow the fastest.`,
    );
  }
  const all = Object.values(measured).flat();
  const products = all.filter(({ gflop }) => gflop !== undefined);
  if (products.length > 0 && products.every(({ seconds }) => Object.keys(seconds).length === 1)) {
    notes.push(
      'Neither OpenBLAS nor oneDNN was found at build: matrix products are not judged against them.',
    );
  }
  if (all.some(({ long }) => long !== undefined && long.extraBytes === undefined)) {
    notes.push('This system does not tell how much memory a call held at most: that is not judged.');
  }
  return notes;
}
