/**
 * Makes calls of every kind again and again: `node --expose-gc fuzz/leaks.mjs [--calls N]`. Exit code 0: neither the
 * memory of the addon nor the resident memory of the process has grown after the first tenth.
 */
import { parseArgs } from 'node:util';
import * as api from '@statespace/native-scan';
import fc from 'fast-check';
import { loadAddon } from '../dist/loader.js';
import { runPublic } from './public-calls.mjs';
import { validCall } from './valid-calls.mjs';

const { values } = parseArgs({ options: { calls: { type: 'string', default: '100000' } } });
const calls = Number(values.calls);
if (!Number.isSafeInteger(calls) || calls < 1000) {
  console.error('--calls takes an integer of at least 1000');
  process.exit(2);
}
if (globalThis.gc === undefined) {
  console.error('start node with --expose-gc: memory is read after a collection');
  process.exit(2);
}
const { addon } = loadAddon();

/** Growth that is no leak: pages that the allocators keep, compiled code. 100 bytes a call would be more. */
const slackBytes = 80 * calls;

api.setNumThreads(2);
const kinds = fc.sample(validCall, { numRuns: 200, seed: 1 });
const cases = kinds.flatMap((drawn) => [
  { drawn, spoil: [], disturb: undefined },
  { drawn, spoil: [], disturb: drawn.async ? 'abort' : undefined },
  { drawn, spoil: ['dropAnOption', 'shrunk'], disturb: undefined },
]);

/** After a collection and the finalizers that it left behind. */
async function memory() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const [inUse] = addon.memoryStats();
  return { inUse, resident: process.memoryUsage.rss() };
}

async function run(count) {
  for (let i = 0; i < count; i++) await runPublic(cases[i % cases.length]);
}

await run(calls / 10);
const before = await memory();
await run(calls - calls / 10);
const after = await memory();
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
console.log(
  `${calls} calls: memory of the addon ${mebibytes(before.inUse)} -> ${mebibytes(after.inUse)}, ` +
    `resident ${mebibytes(before.resident)} -> ${mebibytes(after.resident)}`,
);
if (after.inUse > before.inUse || after.resident - before.resident > slackBytes) {
  console.error('memory has grown');
  process.exit(1);
}
