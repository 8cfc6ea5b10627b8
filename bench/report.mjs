/** Results as Markdown, JSON and figures. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@statespace/tensor';
import { saveFigures } from './figures.mjs';
import { peersMarkdown } from './peers/report.mjs';
import { duration, markdownTable } from './timing.mjs';

/** Probes below the known rate, and rows that miss their target. */
export function missedTargets({ probeRows, rows }) {
  return { busyProbes: probeRows.filter((row) => !row.met), missed: rows.filter((row) => row.met === false) };
}

/** All tables. */
export function reportMarkdown(result) {
  const limits = limitsMarkdown(result);
  return result.peers === undefined ? limits : `${limits}\n\n${peersMarkdown(result.peers)}`;
}

/** The tables of targets, a group each, under the machine's limits. */
function limitsMarkdown(result) {
  const parts = [machineMarkdown(result), probesMarkdown(result)];
  const group = (name) => result.rows.filter((row) => row.group === name);
  const kernels = group('kernels');
  if (kernels.length > 0) {
    const header = ['kernel', 'shape', 'ISA', 'best', 'limit', 'part of limit', 'wanted', ''];
    parts.push(markdownTable(header, kernels.map(kernelCells)));
  }
  const products = group('matrix products');
  if (products.length > 0) {
    const header = ['matrix product', 'ISA', 'best', 'of FMA peak', 'beside', 'ratio', 'wanted', ''];
    parts.push(markdownTable(header, products.map(productCells)));
  }
  for (const [name, title] of [
    ['features', 'feature switched on'],
    ['features switched off', 'features switched off'],
    ['long sequences', 'long sequences'],
  ]) {
    const rows = group(name);
    if (rows.length === 0) continue;
    parts.push(markdownTable([title, 'value', 'at most', ''], rows.map(mostCells)));
  }
  return parts.join('\n\n');
}

function machineMarkdown({ date, machine, threads, notes }) {
  const lines = [
    `${date.slice(0, 10)}: ${machine.cpu} (${machine.known?.name ?? machine.identity}), ${threads} of ${machine.cores} cores, ${machine.system}, Node ${machine.node}`,
    ...notes,
  ];
  return lines.join('\n\n');
}

function probesMarkdown({ probes, probeRows }) {
  const judged = (probe) => probeRows.find((row) => row.probe === probe);
  const line = (probe, rate, unit) => {
    const row = judged(probe);
    return [
      probe,
      `${rate.toFixed(1)} ${unit}`,
      row ? percent(row.fraction) : 'not known',
      verdict(row ?? {}),
    ];
  };
  const isas = Object.values(probes);
  return markdownTable(
    ['probe', 'rate', 'of this CPU’s known rate', ''],
    [
      ...isas.map((one) => line(`FMA, ${one.isa}`, one.fmaGflops, 'GFLOP/s')),
      line('triad', isas[0].triadGBs, 'GB/s'),
      line('triad past the caches', isas[0].streamTriadGBs, 'GB/s'),
    ],
  );
}

const kernelCells = (row) => [
  row.name,
  Object.entries(row.shape)
    .map(([name, value]) => `${name} ${value}`)
    .join(', '),
  row.isa,
  duration(row.seconds),
  duration(row.limitSeconds),
  percent(row.value),
  percent(row.wanted),
  verdict(row),
];

const productCells = (row) => [
  row.name,
  row.isa,
  duration(row.seconds),
  percent(row.peakFraction),
  row.others === undefined
    ? 'widest vectors, of their peak'
    : Object.entries(row.others)
        .map(([name, seconds]) => `${name} ${duration(seconds)}`)
        .join(', '),
  row.value?.toFixed(2) ?? '',
  row.wanted.toFixed(2),
  verdict(row),
];

const mostCells = (row) => [row.name, row.value.toFixed(2), row.wanted.toFixed(2), verdict(row)];

const percent = (part) => `${(100 * part).toFixed(0)} %`;
const verdict = ({ met }) => (met === undefined ? '' : met ? 'met' : '**missed**');

/** Writes benchmarks.json, benchmarks.md and the figures; returns their paths. */
export async function saveReport(result, folder) {
  mkdirSync(folder, { recursive: true });
  const json = join(folder, 'benchmarks.json');
  const page = join(folder, 'benchmarks.md');
  await writeFileAtomic(json, `${JSON.stringify(result, null, 2)}\n`);
  await writeFileAtomic(page, `${reportMarkdown(result)}\n`);
  return [json, page, ...(await saveFigures(result, folder))];
}
