/**
 * Time at a short and a long length, and the extra memory of the long one, one JSON object a line. The most memory in
 * use is Linux' own count, begun anew before the call; elsewhere it is left out.
 *
 *   node bench/measure-long.mjs <threads> <seconds a length> <JSON list of names>
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setNumThreads } from '@statespace/native-scan';
import { gradientsOf, Inputs } from './inputs.mjs';
import { longFamilies, longLength, shortLength } from './long-sequences.mjs';
import { bestTimes } from './timing.mjs';

const [threads, seconds, names] = process.argv.slice(2);
const wanted = JSON.parse(names);
setNumThreads(Number(threads));
for (const { family, calls, stateBytes, args } of longFamilies) {
  const directions = Object.keys(calls).filter((direction) => wanted.includes(`${family} ${direction}`));
  if (directions.length === 0) continue;
  const [short, long] = [shortLength, longLength].map((seqLen) => measureAt(seqLen, args, calls, directions));
  for (const direction of directions) {
    const line = {
      name: `${family} ${direction}`,
      stateBytes,
      short: short[direction],
      long: long[direction],
    };
    console.log(JSON.stringify(line));
  }
}

/** Seconds and extra bytes of each direction. */
function measureAt(seqLen, makeArgs, calls, directions) {
  const inputs = new Inputs();
  const args = makeArgs(inputs, seqLen);
  const { shape } = args.u ?? args.x;
  const prepare = {
    forward() {
      const out = inputs.empty(shape);
      return () => calls.forward({ ...args, out, backend: 'cpu' });
    },
    backward() {
      const gradOut = inputs.uniform(shape, -1, 1);
      const gradients = gradientsOf(inputs, args);
      return () => calls.backward({ ...args, gradOut, ...gradients, backend: 'cpu' });
    },
  };
  const measured = directions.map((direction) => {
    const call = prepare[direction]();
    const extraBytes = memoryOf(call);
    const [best] = bestTimes([call], Number(seconds));
    return [direction, { seqLen, seconds: best, extraBytes }];
  });
  inputs.dispose();
  return Object.fromEntries(measured);
}

/** Bytes that the process held at most during a call beyond what it held before; undefined where Linux cannot tell. */
function memoryOf(call) {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // No such file, or not to be written: the report says that memory was not measured.
    return undefined;
  }
  const before = statusBytes('VmRSS');
  call();
  return Math.max(0, statusBytes('VmHWM') - before);
}

function statusBytes(name) {
  const [, kibibytes] = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return 1024 * Number(kibibytes);
}
