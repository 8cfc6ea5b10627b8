/** The experiments of a study as they end: one line each. */
import { type Experiment, type StudyEntry, shortName } from '@statespace/experiments';
import type { Terminal } from './terminal.js';

/** Room for what an experiment claims: a line is to fit in 80 columns. */
const claimWidth = 50;

export interface StudyLinesOptions {
  /** List every check below its experiment, with what was found. */
  readonly checks?: boolean;
}

export class StudyLines {
  readonly #terminal: Terminal;
  readonly #nameWidth: number;
  readonly #listChecks: boolean;
  readonly #entries: StudyEntry[] = [];

  /** @param experiments that will come */
  constructor(terminal: Terminal, experiments: readonly Experiment[], { checks = false }: StudyLinesOptions) {
    this.#terminal = terminal;
    this.#nameWidth = Math.max(0, ...experiments.map((experiment) => shortName(experiment).length));
    this.#listChecks = checks;
  }

  /** What is being computed now; only where a line can be rewritten. */
  begin(experiment: Experiment): void {
    if (this.#terminal.interactive && !this.#terminal.json)
      this.#terminal.status(`${shortName(experiment)} ...`);
  }

  /** `name  details  PASS|FAIL  seconds`, and below it what failed. */
  end(entry: StudyEntry): void {
    this.#entries.push(entry);
    const name = shortName(entry.experiment).padEnd(this.#nameWidth);
    const claim = shorten(entry.experiment.summary).padEnd(claimWidth);
    const verdict = entry.status === 'passed' ? 'PASS' : 'FAIL';
    const seconds = entry.seconds.toFixed(1).padStart(5);
    this.#terminal.print(`${name}  ${countOf(entry).padStart(5)}  ${claim}  ${verdict} ${seconds} s`);
    for (const line of this.#below(entry)) this.#terminal.print(`${' '.repeat(this.#nameWidth)}  ${line}`);
  }

  /** How many failed, in all. */
  close(): void {
    const failed = this.#entries.filter(({ status }) => status !== 'passed').length;
    const seconds = this.#entries.reduce((sum, entry) => sum + entry.seconds, 0);
    const missed = this.#entries.flatMap(advisoryChecks).filter((check) => !check.passed).length;
    const verdict = failed === 0 ? 'all passed' : `${failed} failed`;
    this.#terminal.print(`${this.#entries.length} experiments in ${seconds.toFixed(1)} s: ${verdict}`);
    if (missed > 0) {
      const what = missed === 1 ? 'time was not as expected' : 'times were not as expected';
      this.#terminal.print(`${missed} ${what}, as on a busy machine; no check depends on them`);
    }
  }

  #below(entry: StudyEntry): string[] {
    if (entry.status === 'error') return [`broke off: ${entry.summary}`];
    return entry.result.details.flatMap(({ passed, advisory, claim, found }) => {
      const mark = passed ? 'passed' : advisory === true ? 'missed' : 'FAILED';
      return this.#listChecks || mark === 'FAILED' ? [`${mark} ${claim}: ${found}`] : [];
    });
  }
}

/** Checks that held, of how many. */
function countOf(entry: StudyEntry): string {
  if (entry.status === 'error') return '-';
  const claims = entry.result.details.filter((check) => check.advisory !== true);
  return `${claims.filter((check) => check.passed).length}/${claims.length}`;
}

function advisoryChecks(entry: StudyEntry) {
  return entry.status === 'error' ? [] : entry.result.details.filter((check) => check.advisory === true);
}

function shorten(text: string): string {
  return text.length <= claimWidth ? text : `${text.slice(0, claimWidth - 3).trimEnd()}...`;
}
