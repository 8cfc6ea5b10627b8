/** The fits of exponential decays in the report of the study. */
import { errorCurves } from '../../builtin/synthetic-decays/figures.js';
import type { SeriesRow } from '../../builtin/synthetic-decays/run-row.js';
import { renderSvg } from '../../figures/render-figure.js';
import { type Html, html } from '../report/html.js';
import { inlineSvg } from '../report/inline-svg.js';
import { rowTable } from '../report/value-table.js';

/** The fits of the last run in the log; undefined for an empty log. */
export async function seriesFindings(log: readonly SeriesRow[]): Promise<Html | undefined> {
  const run = log.at(-1)?.run;
  const rows = log.filter((row) => row.run === run);
  const [first] = rows;
  if (first === undefined) return undefined;
  const svg = await renderSvg(errorCurves(rows, { log: true }));
  const { lambdas, coeffs, noise_std: noise } = first.flags;
  return html`<p>A sum of the decays ${listed(lambdas)} with the weights ${listed(coeffs)}, noise ${listed(noise)}. A linear
model with fewer states than decays cannot get below the floor of the table; with as many it finds them.</p>
${rowTable('held-out mean squared error after the last epoch', rows.map(tableRow))}
<figure>${inlineSvg(svg, 'series-errors', 'Held-out error against the epoch, for each number of states')}</figure>
`;
}

function tableRow({
  model,
  N,
  seed,
  final_val_mse: error,
  floor,
  decays,
}: SeriesRow): Record<string, unknown> {
  return {
    model,
    N,
    seed,
    error,
    ...(floor === undefined ? {} : { floor }),
    ...(decays === undefined ? {} : { 'decays found': decays }),
  };
}

function listed(value: unknown): string {
  return [value].flat().join(', ');
}
