/**
 * Time and extra memory of forward and backward at growing lengths, one JSON object a line. The most memory in use is
 * Linux' own count, begun anew before each call; elsewhere it is left out.
 *
 *   node bench/measure-long.mjs <threads>
 */
import { readFileSync, writeFileSync } from 'node:fs';
import {
  causalConv1d,
  causalConv1dBackward,
  selectiveScan,
  selectiveScanBackward,
  setNumThreads,
  ssdChunkScan,
  ssdChunkScanBackward,
} from '@statespace/native-scan';
import { convInputs, Inputs, scanInputs, ssdInputs } from './inputs.mjs';
import { gradientsOf } from './kernels/selective-scan.mjs';
import { bestTimes } from './timing.mjs';

const lengths = [65_536, 1_048_576];
const families = [
  {
    family: 'selective scan',
    calls: [selectiveScan, selectiveScanBackward],
    states: 32 * 16,
    args: (inputs, seqLen) => scanInputs(inputs, { batch: 1, seqLen, dim: 32, dState: 16 }),
  },
  {
    family: 'causal conv1d',
    calls: [causalConv1d, causalConv1dBackward],
    states: 0,
    args: (inputs, seqLen) => convInputs(inputs, { batch: 1, seqLen, dim: 32, width: 4 }),
  },
  {
    family: 'SSD chunk scan',
    calls: [ssdChunkScan, ssdChunkScanBackward],
    states: 2 * 16 * 16,
    args: (inputs, seqLen) =>
      ssdInputs(inputs, { batch: 1, seqLen, heads: 2, headDim: 16, dState: 16, groups: 1 }),
  },
];

setNumThreads(Number(process.argv[2]));
for (const { family, calls, states, args: make } of families) {
  for (const seqLen of lengths) {
    const inputs = new Inputs();
    const args = make(inputs, seqLen);
    const { shape } = args.u ?? args.x;
    const out = inputs.empty(shape);
    const gradOut = inputs.uniform(shape, -1, 1);
    const gradients = gradientsOf(inputs, args);
    const forward = () => calls[0]({ ...args, out, backend: 'cpu' });
    const backward = () => calls[1]({ ...args, gradOut, ...gradients, backend: 'cpu' });
    for (const [direction, call] of Object.entries({ forward, backward })) {
      const extraBytes = memoryOf(call);
      const [seconds] = bestTimes([call], 0.1);
      console.log(JSON.stringify({ family, direction, seqLen, seconds, extraBytes, stateBytes: 4 * states }));
    }
    inputs.dispose();
  }
}

/** Bytes that the process held at most during a call beyond what it held before; undefined where Linux cannot tell. */
function memoryOf(call) {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
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
