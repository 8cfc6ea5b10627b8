/** One experiment in a report: what it claims, what was found, figures, numbers, and the command that repeats it. */
import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { PlainObject } from '../../config/yaml-file.js';
import type { Check, ExperimentResult } from '../../experiment/result.js';
import type { Run } from '../../runs/run.js';
import { identifyingParams } from '../grid/grid-plan.js';
import type { StudyEntry } from '../run-study.js';
import { type Html, html } from './html.js';
import { inlineSvg } from './inline-svg.js';
import { formatValue, metadataTables } from './value-table.js';

export function experimentSection(entry: StudyEntry, { program }: { readonly program: string }): Html {
  const { experiment } = entry;
  const heading = html`<h3 id="${experiment.name}">${experiment.name}: ${experiment.summary}</h3>`;
  if (entry.status === 'error')
    return html`<section>${heading}<p class="bad">${entry.summary}</p></section>\n`;
  const { result, run } = entry;
  return html`<section>
${heading}
${checkTable(result.details)}
<div class="figures">${figures(run, result, experiment.name)}</div>
<details><summary>Numbers</summary>${metadataTables(result.metadata as PlainObject)}</details>
<details><summary>Parameters and command</summary>
${parameterTable(run)}
<pre>${program} run ${experiment.name} --config ${relative(process.cwd(), join(run.directory, 'config.yaml'))}</pre>
</details>
</section>
`;
}

/** Claims, whether they hold, and what was found. */
export function checkTable(details: readonly Check[]): Html {
  if (details.length === 0) return html`<p class="note">Nothing is claimed.</p>`;
  return html`<div class="scroll"><table>
<tr><th></th><th>check</th><th>found</th></tr>
${details.map(
  (
    check,
  ) => html`<tr><td class="status">${checkMark(check)}</td><td>${check.claim}</td><td class="found">${check.found}</td></tr>
`,
)}</table></div>`;
}

function checkMark({ passed, advisory }: Check): Html {
  if (passed) return html`<span class="good">✓ holds</span>`;
  return advisory === true
    ? html`<span class="missed">○ missed</span>`
    : html`<span class="bad">✗ fails</span>`;
}

/** The figures among the artifacts, drawn into the document. */
function figures(run: Run, { artifacts }: ExperimentResult, name: string): Html[] {
  return artifacts
    .filter((path) => path.endsWith('.svg'))
    .map((path, index) => {
      const svg = readFileSync(join(run.directory, path), 'utf8');
      const title = basename(path, '.svg');
      return html`<figure>${inlineSvg(svg, `${name}-${index + 1}`, `Figure ${title}`)}
<figcaption>${path}</figcaption></figure>
`;
    });
}

function parameterTable(run: Run): Html {
  const params = Object.entries(identifyingParams(run.readConfig()));
  return html`<div class="scroll"><table class="numbers">${params.map(
    ([name, value]) => html`<tr><th>${name}</th><td>${formatValue(value)}</td></tr>`,
  )}</table></div>`;
}
