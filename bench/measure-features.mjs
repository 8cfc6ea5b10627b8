/**
 * What each feature costs beside the plain call: both take turns. One JSON object a line.
 *
 *   node bench/measure-features.mjs <threads> <seconds a feature> [<JSON list of "family direction, feature">]
 */
import { setNumThreads } from '@statespace/native-scan';
import { backwardArgs, bytesToMove, families } from './features.mjs';
import { Inputs } from './inputs.mjs';
import { bestTimes } from './timing.mjs';

const [threads, seconds] = process.argv.slice(2, 4).map(Number);
const wanted = process.argv[4] === undefined ? undefined : new Set(JSON.parse(process.argv[4]));
setNumThreads(threads);
for (const { family, plain, features, shape, ...calls } of families) {
  for (const [feature, { change, moves = false }] of Object.entries(features)) {
    const inputs = new Inputs();
    const base = plain(inputs);
    const changed = change(base, inputs);
    for (const direction of ['forward', 'backward']) {
      if (wanted?.has(`${family} ${direction}, ${feature}`) === false) continue;
      const call = calls[direction];
      const argsOf = (args) => ({
        backend: 'cpu',
        ...(direction === 'forward' ? args : backwardArgs(args, inputs)),
      });
      const [off, on] = [argsOf(base), argsOf(changed)];
      const [secondsOff, secondsOn] = bestTimes([() => call(off), () => call(on)], seconds);
      const bytes = moves ? bytesToMove(off, shape) : 0;
      console.log(JSON.stringify({ family, feature, direction, secondsOff, secondsOn, bytes }));
    }
    inputs.dispose();
  }
}
