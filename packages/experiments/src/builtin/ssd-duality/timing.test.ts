import { expect, test } from 'vitest';
import { timeCalls } from './timing.js';

/** A clock that a function of known cost moves on. */
function simulated(costs: (call: number) => number) {
  let now = 1000;
  let calls = 0;
  return {
    clock: () => now,
    run: () => {
      now += costs(calls);
      calls += 1;
    },
    calls: () => calls,
  };
}

test.each([0.001, 0.37, 5, 100])('a call of %d ms is measured as such, over 20 ms or more', (cost) => {
  const { clock, run } = simulated(() => cost);
  const { msPerCall, calls } = timeCalls(run, { minSampleMs: 20, clock });
  expect(msPerCall).toBeCloseTo(cost, 9);
  expect(calls * cost).toBeGreaterThanOrEqual(20);
  // No longer than it has to be.
  expect((calls - 1) * cost).toBeLessThan(40);
});

test('slow first calls, before the compiler has seen the function, do not count', () => {
  const { clock, run } = simulated((call) => (call < 3 ? 4 : 0.01));
  expect(timeCalls(run, { minSampleMs: 20, clock }).msPerCall).toBeCloseTo(0.01, 9);
});

test('a function that got faster after the warm-up is called more often', () => {
  const { clock, run, calls } = simulated((call) => (call < 100 ? 0.1 : 0.001));
  const timing = timeCalls(run, { minSampleMs: 20, clock });
  expect(timing.msPerCall).toBeCloseTo(0.001, 9);
  expect(timing.calls).toBeGreaterThanOrEqual(20_000);
  expect(calls()).toBeLessThan(60_000);
});

test('the mean of several samples, after one warm-up', () => {
  const { clock, run, calls } = simulated((call) => (call < 45 ? 1 : 2));
  // 10 calls of warm-up, 24 and 24 in the samples: 11 at 1 ms and 13 at 2 ms in the second.
  const { msPerCall } = timeCalls(run, { minSampleMs: 20, samples: 2, clock });
  expect(msPerCall).toBeCloseTo((1 + (11 + 26) / 24) / 2, 9);
  expect(calls()).toBe(58);
});

test('the real clock runs', () => {
  let sum = 0;
  const timing = timeCalls(
    () => {
      for (let i = 0; i < 1000; i++) sum += Math.sqrt(i);
    },
    { minSampleMs: 1 },
  );
  expect(timing.msPerCall).toBeGreaterThan(0);
  expect(sum).toBeGreaterThan(0);
});
