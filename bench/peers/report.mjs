/** The side-by-side table. */
import { duration, markdownTable } from '../timing.mjs';

/** Ours first, then each contender with how many times as long it takes. */
export function peersMarkdown({ cases, versions, missing }) {
  const rows = cases.flatMap(({ case: name, ours, contenders }) =>
    Object.entries(ours).flatMap(([direction, seconds]) => [
      [`${name}, ${direction}`, 'statespace', duration(seconds), '1'],
      ...contenders
        .filter((one) => one.direction === direction)
        .sort((a, b) => a.seconds - b.seconds)
        .map((one) => ['', one.name, duration(one.seconds), (one.seconds / seconds).toPrecision(3)]),
    ]),
  );
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    markdownTable(['case', '', 'best', 'times as long'], rows),
    names.length > 0 ? `Versions: ${names.join(', ')}.` : '',
    ...missing.map((line) => `Not measured: ${line}`),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
