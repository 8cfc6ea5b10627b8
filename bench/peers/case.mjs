/** Cases as peers/cases.mjs writes them, and the timing and checking that every peer in JavaScript shares. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Inputs and expected results of one case. */
export function readCase(folder) {
  const head = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
  const read = (name) => {
    const { buffer, byteOffset, byteLength } = readFileSync(join(folder, `${name}.f32`));
    return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  };
  const arrays = Object.fromEntries(
    Object.entries(head.arrays).map(([name, shape]) => [name, { data: read(name), shape }]),
  );
  return {
    ...head,
    arrays,
    expected: read('out'),
    expectedGradient: head.checked === undefined ? undefined : read('gradient'),
  };
}

/** Seconds of the best of at least three calls within about `budget` seconds; `call` may be asynchronous. */
export async function bestSeconds(call, budget = 1) {
  await call();
  let best = Number.POSITIVE_INFINITY;
  const begin = performance.now();
  for (let turn = 0; turn < 3 || performance.now() - begin < budget * 1e3; turn++) {
    const start = performance.now();
    await call();
    best = Math.min(best, (performance.now() - start) / 1e3);
  }
  return best;
}

/** Largest difference, relative to the largest expected number. */
export function errorOf(got, expected) {
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(got[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return got.length === expected.length ? difference / largest : Number.POSITIVE_INFINITY;
}

/** Prints one measurement. */
export function report(one, contender, direction, seconds, error) {
  console.log(JSON.stringify({ case: one.name, contender, direction, seconds, error }));
}
