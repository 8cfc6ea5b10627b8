/** The WikiText-2 comparison in the report of the study. */
import { comparisonChecks, paperResults } from '../../builtin/wikitext2-comparison/checks.js';
import { datasetName, type RunRow } from '../../builtin/wikitext2-comparison/run-row.js';
import { selectRows } from '../../builtin/wikitext2-comparison/select-rows.js';
import { pairedDifferences, summarizeModels } from '../../builtin/wikitext2-comparison/summary.js';
import { varianceBandFigure, varianceBands } from '../../builtin/wikitext2-comparison/variance-bands.js';
import type { Summary } from '../../experiment/statistics.js';
import { renderSvg } from '../../figures/render-figure.js';
import { checkTable } from '../report/experiment-section.js';
import { type Html, html } from '../report/html.js';
import { inlineSvg } from '../report/inline-svg.js';

/** The latest training of each model and seed; undefined for an empty log. */
export async function comparisonFindings(log: readonly RunRow[]): Promise<Html | undefined> {
  if (log.length === 0) return undefined;
  const { rows, otherFlags } = selectRows(log, { dataset: datasetName, requireAllModels: false });
  const { flags } = rows[0] as RunRow;
  const differences = pairedDifferences(rows);
  const svg = await renderSvg(varianceBandFigure(varianceBands(rows, 'val_loss'), 'val_loss', flags));
  const left =
    otherFlags === 0 ? '' : html`<p class="note">${otherFlags} trainings with other flags are left out.</p>`;
  return html`<p>The word after a window of ${String(flags.seq_len)} words, at the epoch of the least held-out loss; mean ±
half width of the 95 % interval over seeds. The paper has six seeds, and gives no interval.</p>
${modelTable(rows)}
${differences.map(
  ({
    model,
    other,
    loss,
    accuracy,
    seeds,
  }) => html`<p>${other} minus ${model}, seed by seed (${seeds.length}): loss
${signed(loss)} nats, accuracy ${signed(percent(accuracy))} points.</p>`,
)}
${checkTable(comparisonChecks(rows, differences))}
<figure>${inlineSvg(svg, 'wikitext2-bands', 'Held-out loss of each model against the epoch, mean and deviation')}</figure>
${left}`;
}

function modelTable(rows: readonly RunRow[]): Html {
  const paper = paperResults as Readonly<
    Record<string, { readonly loss: number; readonly accuracy: number }>
  >;
  return html`<div class="scroll"><table class="numbers">
<tr><th>model</th><th class="number">parameters</th><th class="number">seeds</th><th class="number">loss, nats</th>
<th class="number">accuracy, %</th><th class="number">paper: loss</th><th class="number">accuracy, %</th></tr>
${summarizeModels(rows).map(({ model, parameters, seeds, bestLoss, bestAccuracy }) => {
  const printed = paper[model];
  const cells = [
    parameters.toLocaleString('en-US'),
    seeds.length,
    spread(bestLoss),
    spread(percent(bestAccuracy)),
    printed === undefined ? '' : printed.loss.toFixed(1),
    printed === undefined ? '' : (100 * printed.accuracy).toFixed(1),
  ];
  return html`<tr><th>${model}</th>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>\n`;
})}</table></div>`;
}

function percent({ mean, std, ci95, count }: Summary): Summary {
  return { count, mean: 100 * mean, std: 100 * std, ci95: 100 * ci95 };
}

/** One seed has no interval. */
function spread({ mean, ci95, count }: Summary): string {
  return count < 2 ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${ci95.toFixed(3)}`;
}

function signed(summary: Summary): string {
  return `${summary.mean > 0 ? '+' : ''}${spread(summary)}`;
}
