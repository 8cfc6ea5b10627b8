/**
 * Best seconds of every kernel's case, one JSON object a line. The instruction set is that of STATESPACE_ISA, so that
 * each one has a process of its own.
 *
 *   node bench/measure-kernels.mjs <threads> <seconds a case> <JSON list of kernels>
 */
import { setNumThreads } from '@statespace/native-scan';
import { Inputs } from './inputs.mjs';
import { kernelCases } from './kernels/index.mjs';
import { bestTimes } from './timing.mjs';

const [threads, seconds, names] = process.argv.slice(2);
const wanted = new Set(JSON.parse(names));
setNumThreads(Number(threads));
for (const { kernel: name, prepare } of kernelCases.filter((one) => wanted.has(one.kernel))) {
  const inputs = new Inputs();
  const [best] = bestTimes([prepare(inputs)], Number(seconds));
  inputs.dispose();
  console.log(JSON.stringify({ name, seconds: best }));
}
