/** TensorFlow.js in WebAssembly: the scan step by step, and the matrix product. One thread: it has no more in Node. */
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { bestSeconds, errorOf, readCase, report } from './case.mjs';

const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
setWasmPaths(join(folder, sep));
await tf.setBackend('wasm');
console.log(JSON.stringify({ versions: { 'tfjs-wasm': version_wasm } }));

function scan(a) {
  const [, seqLen] = a.u.shape;
  const delta = tf.softplus(tf.add(a.delta, a.deltaBias));
  const steps = (tensor) => tf.unstack(tensor, 1);
  const [deltas, us, Bs, Cs] = [delta, a.u, a.B, a.C].map(steps);
  let h = tf.zeros([a.u.shape[0], ...a.A.shape]);
  const outs = [];
  for (let t = 0; t < seqLen; t++) {
    const decay = tf.exp(tf.mul(tf.expandDims(deltas[t], -1), a.A));
    const driven = tf.mul(tf.expandDims(tf.mul(deltas[t], us[t]), -1), tf.expandDims(Bs[t], 1));
    h = tf.add(tf.mul(decay, h), driven);
    outs.push(tf.sum(tf.mul(h, tf.expandDims(Cs[t], 1)), -1));
  }
  const y = tf.add(tf.stack(outs, 1), tf.mul(a.u, a.D));
  return tf.mul(y, tf.mul(a.z, tf.sigmoid(a.z)));
}

const forms = { 'selective-scan': scan, gemm: (a) => tf.matMul(a.a, a.b) };

for (const one of process.argv.slice(3).map(readCase)) {
  const form = forms[one.family];
  if (form === undefined || one.shape.seqLen > 128) continue;
  const names = Object.keys(one.arrays);
  const tensors = names.map((name) => tf.tensor(one.arrays[name].data, one.arrays[name].shape));
  const forward = (...values) => form(Object.fromEntries(values.map((value, i) => [names[i], value])));
  const out = tf.tidy(() => forward(...tensors));
  const error = errorOf(await out.data(), one.expected);
  // Reading the result back waits for it; a copy of it is small beside the work.
  const seconds = await bestSeconds(() => tf.tidy(() => forward(...tensors).dataSync()));
  report(one, 'tfjs-wasm', 'forward', seconds, error);
  if (one.checked === undefined) continue;
  const gradients = tf.grads((...values) => tf.sum(forward(...values)));
  const training = () => tf.tidy(() => gradients(tensors)[names.indexOf(one.checked)].dataSync());
  report(
    one,
    'tfjs-wasm',
    'training',
    await bestSeconds(training),
    errorOf(training(), one.expectedGradient),
  );
}
