/** `statespace check-logs`: whether the log of a grid is whole and says what its experiments claim. */
import { basename, dirname, join } from 'node:path';
import { checkLogs, formatFinding, ssdDuality, ssdDualityRules } from '@statespace/experiments';
import type { Command } from 'commander';
import { exitCode } from '../exit-codes.js';
import { relativePath } from '../finish-runs.js';
import { addFolderOption } from '../run-options.js';
import type { Terminal } from '../terminal.js';

interface CheckLogsOptions {
  readonly ignoreTimes?: boolean;
  readonly outDir: string;
}

const examples = `
Examples:
  $ statespace check-logs
  $ statespace check-logs outputs/ssd-duality/grid
  $ statespace check-logs --ignore-times --json

Reports rows that are missing, doubled or not planned, NaN, files that disagree, and stored numbers that do not satisfy
the tolerances, ranks and slopes of their experiment; each with file, line and field. Exit code 1 when anything is wrong.`;

export function addCheckLogsCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('check-logs [folder]')
    .description('check the log that statespace grid wrote')
    .option('--ignore-times', 'leave out how times grow, which other work on the machine spoils')
    .addHelpText('after', examples);
  addFolderOption(command).action((folder: string | undefined, options: CheckLogsOptions) => {
    const report = checkLogs(logFolder(folder, options.outDir), ssdDualityRules, options);
    const { rows, planned, unjudged, findings, passed } = report;
    for (const finding of findings) terminal.print(formatFinding(finding));
    if (unjudged.length > 0) {
      terminal.note(`no rules are known for the numbers of ${unjudged.join(', ')}; they were not judged`);
    }
    const total = planned === undefined ? '' : ` of ${planned} planned`;
    const verdict = passed
      ? 'nothing wrong'
      : findings.length === 1
        ? 'one finding'
        : `${findings.length} findings`;
    terminal.print(`${relativePath(report.directory)}: ${rows} rows${total}, ${verdict}`);
    terminal.printJson(report);
    process.exitCode = passed ? exitCode.ok : exitCode.failed;
  });
}

/** The folder itself, the folder of a log file that was named, or where `statespace grid` writes. */
function logFolder(named: string | undefined, outDir: string): string {
  if (named === undefined) return join(outDir, ssdDuality.name, 'grid');
  return /\.(jsonl|csv)$/.test(basename(named)) ? dirname(named) : named;
}
