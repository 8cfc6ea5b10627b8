/** Report sections on the trainings of the study, from the logs that their experiments left. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { seriesFolder, seriesRowSchema, seriesRunsFile } from '../../builtin/synthetic-decays/run-row.js';
import { comparisonFolder, runRowSchema, trainRunsFile } from '../../builtin/wikitext2-comparison/run-row.js';
import { readRowLog } from '../../metrics/row-log.js';
import { type Html, html } from '../report/html.js';
import { seriesFindings } from './series-section.js';
import { comparisonFindings } from './wikitext2-section.js';

/** @param outDir folder of all runs */
export async function companions(outDir: string, program: string): Promise<Html[]> {
  const wikitext2 = join(outDir, comparisonFolder, trainRunsFile);
  const series = join(outDir, seriesFolder, seriesRunsFile);
  return [
    await companionSection({
      title: 'WikiText-2: Mamba with and without selection',
      path: wikitext2,
      command: `${program} run wikitext2-comparison --data-dir ./wikitext-2`,
      findings: () => comparisonFindings(readRowLog(wikitext2, runRowSchema)),
    }),
    await companionSection({
      title: 'Time series: sums of exponential decays',
      path: series,
      command: `${program} run exp-synthetic-ndecay`,
      findings: () => seriesFindings(readRowLog(series, seriesRowSchema)),
    }),
  ];
}

interface Companion {
  readonly title: string;
  /** Of the log. */
  readonly path: string;
  /** What writes the log. */
  readonly command: string;
  /** What the log says; undefined for an empty one. */
  findings(): Promise<Html | undefined>;
}

async function companionSection({ title, path, command, findings }: Companion): Promise<Html> {
  const heading = html`<h2>${title}</h2>\n`;
  try {
    const found = existsSync(path) ? await findings() : undefined;
    if (found !== undefined) return html`${heading}${found}<p class="note">From <code>${path}</code>.</p>\n`;
    return html`${heading}<p>Not run here yet. Train it, then make this report again:</p><pre>${command}</pre>\n`;
  } catch (error) {
    // A damaged log of other work is told in its place: it is no reason to lose the report.
    return html`${heading}<p class="bad">The log cannot be read: ${(error as Error).message}</p>\n`;
  }
}
