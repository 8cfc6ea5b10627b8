/** Speed of training, and how long it will take. Only ever shown and logged; nothing is computed from it. */
import { performance } from 'node:perf_hooks';

export class Stopwatch {
  readonly #begun = performance.now();
  readonly #startStep: number;
  readonly #startTokens: number;
  #trainingMs = 0;
  #lap: { readonly tokens: number; readonly ms: number };

  /** @param startStep steps, and `startTokens` tokens, of processes before this one */
  constructor(startStep: number, startTokens: number) {
    this.#startStep = startStep;
    this.#startTokens = startTokens;
    this.#lap = { tokens: startTokens, ms: 0 };
  }

  /** Runs `work` on the training clock. */
  time<T>(work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      this.#trainingMs += performance.now() - start;
    }
  }

  /** Training tokens per second since the last lap; `tokens` counts the whole run. */
  lap(tokens: number): number {
    const { tokens: before, ms } = this.#lap;
    this.#lap = { tokens, ms: this.#trainingMs };
    return perSecond(tokens - before, this.#trainingMs - ms);
  }

  /** Training tokens per second over this process's part of the run. */
  tokensPerSecond(tokens: number): number {
    return perSecond(tokens - this.#startTokens, this.#trainingMs);
  }

  /** From the mean pace so far, evaluations and checkpoints included. */
  secondsLeft(step: number, totalSteps: number): number {
    const done = step - this.#startStep;
    if (done === 0) return 0;
    return ((totalSteps - step) * (performance.now() - this.#begun)) / done / 1000;
  }
}

function perSecond(tokens: number, ms: number): number {
  return ms > 0 ? (1000 * tokens) / ms : 0;
}
