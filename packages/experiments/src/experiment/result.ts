/** What an experiment hands back. */

/** One claim that was checked. */
export interface Check {
  /** What should hold, one sentence. */
  readonly claim: string;
  readonly passed: boolean;
  /** What was found. */
  readonly found: string;
}

export interface ExperimentResult {
  readonly name: string;
  /** Whether every check held. */
  readonly passed: boolean;
  readonly details: readonly Check[];
  /** Measured numbers and facts, plain JSON. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Files, from the run folder. */
  readonly artifacts: readonly string[];
}
