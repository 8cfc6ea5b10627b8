/** How long a function takes: warmed up, and called until a sample is long enough for the clock. */

export interface TimingOptions {
  /** Least duration of a sample, milliseconds. */
  readonly minSampleMs: number;
  /** Samples, whose mean is the time. Default 1. */
  readonly samples?: number;
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly clock?: () => number;
}

export interface Timing {
  /** Milliseconds per call. */
  readonly msPerCall: number;
  /** Calls in the last sample. */
  readonly calls: number;
}

/**
 * Times `run`. The warm-up, of half a sample, lets the compiler finish and tells how many calls a sample needs; where
 * one comes out short of `minSampleMs` all the same, a larger one is taken.
 */
export function timeCalls(run: () => void, options: TimingOptions): Timing {
  const { minSampleMs, samples = 1, clock = () => performance.now() } = options;
  const warmUp = callFor(run, minSampleMs / 2, clock);
  let calls = callsFor(minSampleMs, warmUp.calls, warmUp.elapsed);
  let sum = 0;
  for (let taken = 0; taken < samples; ) {
    const begin = clock();
    for (let i = 0; i < calls; i++) run();
    const elapsed = clock() - begin;
    if (elapsed < minSampleMs) calls = Math.max(calls + 1, callsFor(minSampleMs, calls, elapsed));
    else {
      sum += elapsed / calls;
      taken += 1;
    }
  }
  return { msPerCall: sum / samples, calls };
}

/** Calls `run` for at least `ms`, at least once. */
function callFor(run: () => void, ms: number, clock: () => number): { calls: number; elapsed: number } {
  const begin = clock();
  let calls = 0;
  let elapsed = 0;
  do {
    run();
    calls += 1;
    elapsed = clock() - begin;
  } while (elapsed < ms);
  return { calls, elapsed };
}

/** Calls that fill `ms` with a fifth to spare, at most ten times as many as were seen. */
function callsFor(ms: number, seen: number, elapsed: number): number {
  return Math.ceil(seen * Math.min(10, (1.2 * ms) / Math.max(elapsed, 1e-6)));
}
