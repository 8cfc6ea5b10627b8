/** Medians of repeated timings, and the hardware line that belongs under every table. */
import { availableParallelism, cpus } from 'node:os';

/** Median of numbers. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Milliseconds of each of `repetitions` calls, after `warmup` uncounted ones. */
export function timeCalls(call, { repetitions, warmup = 1 }) {
  for (let i = 0; i < warmup; i++) call();
  return Array.from({ length: repetitions }, () => {
    const start = performance.now();
    call();
    return performance.now() - start;
  });
}

/** One line on the machine and the versions. */
export function hardwareLine(extra = {}) {
  const parts = [cpus()[0].model.trim(), `${availableParallelism()} cores`, `Node ${process.versions.node}`];
  for (const [name, value] of Object.entries(extra)) parts.push(`${name} ${value}`);
  return parts.join(', ');
}

/** A Markdown table. */
export function markdownTable(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
