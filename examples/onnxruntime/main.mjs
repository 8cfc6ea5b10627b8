/**
 * A selective scan between two ONNX Runtime sessions. ONNX has no operator for it: exported, a Mamba layer is cut there, its
 * projections run in ONNX Runtime before and after, and the scan runs here on the same memory.
 */
import { selectiveScan } from '@statespace/native-scan';
import { fromOnnxTensor, toOnnxTensor } from '@statespace/native-scan/adapters';
import { Tensor } from 'onnxruntime-common'; // the Tensor of onnxruntime-node and onnxruntime-web

const [batch, length, channels, states] = [2, 10, 6, 4];

// What `await projections.run(feeds)` gives: the x_proj output holds B and C side by side, lengths are int64 as in ONNX.
const before = {
  u: float32([batch, length, channels], (i) => Math.cos(i)),
  delta: float32([batch, length, channels], (i) => Math.cos(0.2 * i) - 1),
  BC: float32([batch, length, 2 * states], (i) => Math.cos(0.3 * i)),
  lengths: new Tensor('int64', BigInt64Array.of(10n, 7n), [batch]),
};
// A weight of the layer, negative: the state decays.
const A = {
  data: Float32Array.from({ length: channels * states }, (_, i) => -1 - (i % states)),
  shape: [channels, states],
};

// Views, not copies: B is the first half of the last axis of BC, C the second.
const BC = fromOnnxTensor(before.BC);
const half = (offset) => ({
  ...BC,
  shape: [batch, length, states],
  strides: [length * 2 * states, 2 * states, 1],
  offset,
});

const { out } = selectiveScan({
  u: fromOnnxTensor(before.u),
  delta: fromOnnxTensor(before.delta),
  A,
  B: half(0),
  C: half(states),
  deltaSoftplus: true,
  lengths: fromOnnxTensor(before.lengths),
});

// Ready for `await outProjection.run({ y })`, over the memory of `out`.
const { type, data, dims } = toOnnxTensor(out);
const y = new Tensor(type, data, dims);

for (const [name, tensor] of Object.entries({ ...before, y })) {
  console.log(`${name.padEnd(8)} ${tensor.type.padEnd(8)} [${tensor.dims.join(', ')}]`);
}
for (let row = 0; row < batch; row++) {
  const numbers = [0, 3, 6, 9].map((t) => y.data[(row * length + t) * channels].toFixed(3).padStart(6));
  console.log(`y[${row}, t, 0] at t = 0, 3, 6, 9: ${numbers.join(' ')}`);
}
console.log(
  `row 1 ends after 7 steps: ${y.data.subarray((length + 7) * channels).every((value) => value === 0)}`,
);

function float32(dims, value) {
  const size = dims.reduce((a, b) => a * b, 1);
  return new Tensor(
    'float32',
    Float32Array.from({ length: size }, (_, i) => value(i)),
    dims,
  );
}
