/** Smooths a noisy wave in an addon of our own, which calls the kernels of native-scan without JavaScript in between. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { nativeInterface } from '@statespace/native-scan';

const { attach, smooth } = createRequire(import.meta.url)('./build/Release/smoothing.node');
attach(nativeInterface());

const [steps, channels, halfLife] = [1000, 24, 5];
const signal = Float32Array.from(
  { length: steps * channels },
  (_, i) => Math.sin(i / 500) + ((i * 7919) % 13) / 13,
);
const out = smooth(signal, channels, halfLife, new Float32Array(signal.length));

// The same in JavaScript.
const keep = 2 ** (-1 / halfLife);
let worst = 0;
for (let c = 0; c < channels; c++) {
  let h = 0;
  for (let i = c; i < signal.length; i += channels) {
    h = keep * h + (1 - keep) * signal[i];
    worst = Math.max(worst, Math.abs(out[i] - h));
  }
}
assert.ok(worst < 1e-5);
console.log(`${steps} steps of ${channels} channels, half-life ${halfLife}`);
console.log(
  `channel 0 ends at ${out[(steps - 1) * channels].toFixed(3)}, noise and all at ${signal[(steps - 1) * channels].toFixed(3)}`,
);

// What the kernel refuses comes back as its message.
assert.throws(
  () => smooth(signal, channels, halfLife, signal),
  /selective_scan: out: expected memory of its own/,
);
assert.throws(() => smooth(signal, 7, halfLife, out), /whole rows/);
assert.throws(() => smooth([1, 2], 1, halfLife, out), /Float32Array/);
assert.throws(() => attach({}), /nativeInterface/);
