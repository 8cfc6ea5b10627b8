/** What an experiment hands back. */

/** One claim that was checked. */
export interface Check {
  /** What should hold, one sentence. */
  readonly claim: string;
  readonly passed: boolean;
  /** What was found. */
  readonly found: string;
  /** A measurement that other work on the machine can spoil: missed, it is told, and fails nothing. */
  readonly advisory?: boolean;
}

/** What the experiment itself tells. */
export interface Findings {
  readonly details: readonly Check[];
  /** Measured numbers and facts, plain JSON. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Files, from the run folder. */
  readonly artifacts: readonly string[];
  /** Largest relative error that passes for equality; absent where nothing is compared up to rounding. */
  readonly tolerance?: number;
}

/** The findings, and how they came about. */
export interface ExperimentResult extends Findings {
  readonly name: string;
  /** Whether every check held that is not advisory. */
  readonly passed: boolean;
  readonly seed: number;
  /** Number format of what was computed. */
  readonly dtype: 'f32' | 'f64';
  /** Time the experiment took in this process; for a resumed run, since it was resumed. */
  readonly durationMs: number;
  /** Of Node.js, this package and the kernels. */
  readonly versions: Readonly<Record<string, string>>;
}
