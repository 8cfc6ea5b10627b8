/** The report of a study: one HTML file that opens from the disk, with its figures inside and nothing to load. */
import { relative } from 'node:path';
import type { PlainObject } from '../../config/yaml-file.js';
import type { Environment } from '../../runs/environment.js';
import type { StudyEntry } from '../run-study.js';
import { answersTo, type Correction, type Study } from '../study.js';
import { experimentSection } from './experiment-section.js';
import { Html, html } from './html.js';
import { reportStyle } from './style.js';

export interface StudyReport {
  readonly study: Study;
  readonly entries: readonly StudyEntry[];
  /** Whether the experiments ran in their smaller versions. */
  readonly fast: boolean;
  readonly environment: Environment;
  /** When it was finished. */
  readonly finishedAt: Date;
  /** The command that made it. */
  readonly command: string;
  /** What the command line calls itself, for commands to copy. */
  readonly program: string;
  /** Folder of the report: paths are told from there. */
  readonly directory: string;
  /** Sections on work that is done by other commands. */
  readonly companions: readonly Html[];
}

/** The document. */
export function studyReportHtml(report: StudyReport): string {
  const { study, entries, companions } = report;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${study.title}: its claims, checked</title>
<style>${new Html(reportStyle)}</style>
</head>
<body>
<header>
<h1>${study.title}: its claims, checked</h1>
<p class="lead">${study.paper}. ${summarySentence(report)}</p>
${verdict(entries)}
</header>
<main>
${overview(entries)}
${corrections(report)}
<h2>Experiments</h2>
${entries.map((entry) => experimentSection(entry, report))}
${companions}
${origin(report)}
</main>
</body>
</html>
`;
  return document.text;
}

function summarySentence({ fast, entries, finishedAt }: StudyReport): string {
  const seconds = entries.reduce((sum, entry) => sum + entry.seconds, 0);
  const size = fast ? 'in their quick version' : 'in full size';
  return `Experiments ${size}, computed in ${seconds.toFixed(0)} s, finished ${finishedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC.`;
}

/** Checks of all experiments, counted. */
export function countChecks(entries: readonly StudyEntry[]) {
  const checks = entries.flatMap((entry) => (entry.status === 'error' ? [] : entry.result.details));
  const claims = checks.filter((check) => check.advisory !== true);
  return {
    held: claims.filter((check) => check.passed).length,
    failed: claims.filter((check) => !check.passed).length,
    missed: checks.filter((check) => check.advisory === true && !check.passed).length,
  };
}

function verdict(entries: readonly StudyEntry[]): Html {
  const passed = entries.filter((entry) => entry.status === 'passed').length;
  const { held, failed, missed } = countChecks(entries);
  const timing = missed === 0 ? '' : `; ${missed} timing expectations were missed on this machine`;
  const text = `${passed} of ${entries.length} experiments passed: ${held} checks held, ${failed} failed${timing}.`;
  return html`<p class="verdict${passed === entries.length ? '' : ' bad'}">${text}</p>`;
}

function overview(entries: readonly StudyEntry[]): Html {
  return html`<h2>What was checked</h2>
<div class="scroll"><table>
<tr><th>experiment</th><th>claim</th><th></th><th class="number">seconds</th></tr>
${entries.map(
  ({ experiment, status, seconds }) => html`<tr>
<td><a href="#${experiment.name}">${experiment.name}</a></td><td>${experiment.summary}</td>
<td class="status">${statusMark(status)}</td><td class="number">${seconds.toFixed(1)}</td></tr>
`,
)}</table></div>`;
}

export function statusMark(status: StudyEntry['status']): Html {
  if (status === 'passed') return html`<span class="good">✓ passed</span>`;
  return html`<span class="bad">✗ ${status === 'failed' ? 'failed' : 'broke off'}</span>`;
}

function corrections({ study, entries, program }: StudyReport): Html {
  if (study.corrections.length === 0) return html``;
  return html`<h2>Where the paper’s claims do not hold as stated</h2>
<p class="note">Claims are told after accounts of the paper; its own wording decides.</p>
${study.corrections.map((correction) => correctionCard(correction, entries, program))}`;
}

function correctionCard(
  { claim, holds, command, experiment, evidence }: Correction,
  entries: readonly StudyEntry[],
  program: string,
): Html {
  const entry = entries.find((candidate) => answersTo(candidate.experiment, experiment));
  const metadata = entry === undefined || entry.status === 'error' ? undefined : entry.result.metadata;
  const numbers = metadata === undefined ? undefined : evidence?.(metadata as PlainObject);
  return html`<dl class="pair">
<dt>The paper says</dt><dd>${claim}</dd>
<dt>What holds</dt><dd>${holds}</dd>
${numbers === undefined ? '' : html`<dt>Found here</dt><dd>${numbers} (<a href="#${entry?.experiment.name ?? ''}">${experiment}</a>)</dd>`}
<dt>See it</dt><dd><code>${program} ${command}</code></dd>
</dl>`;
}

function origin({ environment, entries, command, directory }: StudyReport): Html {
  const { cpu, cores, memoryBytes, platform, arch, osRelease, node, backend, isa, versions, commit } =
    environment;
  const rows: [string, string][] = [
    ['Command', command],
    ['Machine', `${cpu}, ${cores} cores usable, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ['System', `${platform} ${arch}, ${osRelease}`],
    ['Node.js', node],
    ['Kernels', backend === 'reference' ? 'TypeScript (float64)' : `${backend}, ${isa}`],
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ...(commit === undefined ? [] : [['Commit', commit] as [string, string]]),
  ];
  const folders = entries.flatMap((entry) =>
    entry.status === 'error'
      ? []
      : [[entry.experiment.name, relative(directory, entry.run.directory)] as const],
  );
  return html`<h2>How this was computed</h2>
<dl class="pair">${rows.map(([name, value]) => html`<dt>${name}</dt><dd><code>${value}</code></dd>\n`)}</dl>
<p>Each experiment has a run folder with its parameters, environment, numbers and figures (Vega-Lite with the data, SVG,
PNG, PDF), beside this file:</p>
<div class="scroll"><table class="numbers">${folders.map(
    ([name, path]) => html`<tr><th>${name}</th><td><code>${path}</code></td></tr>\n`,
  )}</table></div>`;
}
