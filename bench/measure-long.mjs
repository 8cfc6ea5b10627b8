/**
 * Time at a short and a long length, and the extra memory of the long one, one JSON object a line. The most memory in
 * use is Linux' own count, begun anew before the call; elsewhere it is left out.
 *
 *   node bench/measure-long.mjs <threads> <seconds a length> <JSON list of names>
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setNumThreads } from '@statespace/native-scan';
import { Inputs } from './inputs.mjs';
import { longCases, longLength, shortLength } from './long-sequences.mjs';
import { bestTimes } from './timing.mjs';

const [threads, seconds, names] = process.argv.slice(2);
const wanted = new Set(JSON.parse(names));
setNumThreads(Number(threads));
for (const { name, stateBytes, prepare } of longCases.filter((one) => wanted.has(one.name))) {
  const [short, long] = [shortLength, longLength].map((seqLen) => {
    const inputs = new Inputs();
    const call = prepare(inputs, seqLen);
    const extraBytes = memoryOf(call);
    const [best] = bestTimes([call], Number(seconds));
    inputs.dispose();
    return { seqLen, seconds: best, extraBytes };
  });
  console.log(JSON.stringify({ name, stateBytes, short, long }));
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
