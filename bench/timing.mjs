/** Repeated timings, and what is made of them. */
import { availableParallelism, cpus } from 'node:os';

/** Median of numbers. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Seconds of the best call of each contender: they take turns for `seconds`, at least three turns each, so that a
 * drift of the machine touches all of them. Calls too short for the clock are timed by the burst.
 */
export function bestTimes(calls, seconds) {
  const bursts = calls.map((call) => {
    call();
    const start = performance.now();
    call();
    return Math.max(1, Math.ceil(0.2 / (performance.now() - start)));
  });
  const best = calls.map(() => Number.POSITIVE_INFINITY);
  const begin = performance.now();
  for (let turn = 0; turn < 3 || performance.now() - begin < seconds * 1e3; turn++) {
    for (const [i, call] of calls.entries()) {
      const start = performance.now();
      for (let n = 0; n < bursts[i]; n++) call();
      best[i] = Math.min(best[i], (performance.now() - start) / bursts[i] / 1e3);
    }
  }
  return best;
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

/** Seconds in the unit that suits them. */
export function duration(seconds) {
  return seconds < 1e-3
    ? `${(1e6 * seconds).toFixed(1)} µs`
    : `${(1e3 * seconds).toFixed(seconds < 0.1 ? 2 : 1)} ms`;
}
