/**
 * Best seconds of each call without and with a feature, which take turns, one JSON object a line.
 *
 *   node bench/measure-features.mjs <threads> <seconds a feature> <JSON list of names>
 */
import { setNumThreads } from '@statespace/native-scan';
import { featureCases } from './features/index.mjs';
import { Inputs } from './inputs.mjs';
import { bestTimes } from './timing.mjs';

const [threads, seconds, names] = process.argv.slice(2);
const wanted = new Set(JSON.parse(names));
setNumThreads(Number(threads));
for (const { name, prepare } of featureCases.filter((one) => wanted.has(one.name))) {
  const inputs = new Inputs();
  const { off, on, bytes } = prepare(inputs);
  const [secondsOff, secondsOn] = bestTimes([off, on], Number(seconds));
  inputs.dispose();
  console.log(JSON.stringify({ name, secondsOff, secondsOn, bytes }));
}
