/** What this machine is, and the rates that its kind is known to reach. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';

/**
 * Known rates: FMA in GFLOP/s of one core by instruction set, triad past the caches in GB/s of two cores. Zen 5 from
 * the study that fixed the targets, Zen 4 measured here on an idle machine.
 */
const knownRates = [
  { name: 'AMD Zen 5', vendor: 'AuthenticAMD', family: 26, fma: { avx512: 273, avx2: 137 }, streamTriad: 52 },
  {
    name: 'AMD Zen 4',
    vendor: 'AuthenticAMD',
    family: 25,
    models: [16, 31],
    fma: { avx512: 117.5, avx2: 118 },
    streamTriad: 47,
  },
];

/** A probe under this part of the known rate says that the machine is busy, and flatters every kernel. */
const leastOfKnownRate = 0.9;

export function describeMachine() {
  const { vendor, family, model } = cpuIdentity();
  const known = knownRates.find(
    (one) =>
      one.vendor === vendor &&
      one.family === family &&
      (one.models === undefined || (model >= one.models[0] && model <= one.models[1])),
  );
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    identity: `${vendor} family ${family} model ${model}`,
    known,
    system: `${process.platform} ${release()}`,
    node: process.versions.node,
  };
}

function cpuIdentity() {
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const field = (name) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1];
    return {
      vendor: field('vendor_id') ?? 'unknown',
      family: Number(field('cpu family')),
      model: Number(field('model')),
    };
  } catch {
    // No such file outside Linux: the CPU stays unknown, and its probes unchecked.
    return { vendor: 'unknown', family: Number.NaN, model: Number.NaN };
  }
}

/**
 * How the probes of each instruction set stand beside the known rates; without those that are not known. Only two
 * threads can be held against the triad that is known.
 */
export function judgeProbes({ known, cores }, probes, threads) {
  if (known === undefined) return [];
  const rows = probes.map(({ isa, fmaGflops }) => ({
    probe: `FMA, ${isa}`,
    rate: fmaGflops,
    known: Math.min(threads, cores) * known.fma[isa],
    unit: 'GFLOP/s',
  }));
  if (threads === 2) {
    const rate = probes[0].streamTriadGBs;
    rows.push({ probe: 'triad past the caches', rate, known: known.streamTriad, unit: 'GB/s' });
  }
  return rows
    .filter((row) => !Number.isNaN(row.known))
    .map((row) => ({
      ...row,
      fraction: row.rate / row.known,
      met: row.rate >= leastOfKnownRate * row.known,
    }));
}
