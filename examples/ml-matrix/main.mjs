/**
 * Heat in a rod: a linear state space system of ml-matrix, run by the native selective scan.
 *
 *   x'(t) = A x(t) + b u(t),   y(t) = C x(t)
 *
 * x holds the temperature at 32 points, u heats the left end, C reads three sensors. A is symmetric, so that with its
 * eigenvectors V and eigenvalues a the system falls apart into 32 independent modes, which is what a selective scan computes.
 */
import { selectiveScan } from '@statespace/native-scan';
import { fromMatrix, toMatrix } from '@statespace/native-scan/adapters';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

const points = 32;
const steps = 2000;
const dt = 0.05;
const sensors = [0, 8, 31];

// Neighbours exchange heat; the ends lose some to the air.
const A = Matrix.zeros(points, points);
for (let i = 0; i < points; i++) {
  A.set(i, i, i === 0 || i === points - 1 ? -1.05 : -2);
  if (i > 0) A.set(i, i - 1, 1);
  if (i < points - 1) A.set(i, i + 1, 1);
}
const b = Matrix.zeros(points, 1).set(0, 0, 1);
const C = Matrix.zeros(sensors.length, points);
for (const [row, point] of sensors.entries()) C.set(row, point, 1);
// The heater is on for the first half.
const input = Float64Array.from({ length: steps }, (_, t) => (t < steps / 2 ? 1 : 0));

// Modes: a decays, and the input held over a step adds (exp(a dt) - 1) / a of its share V^T b (zero-order hold).
const { realEigenvalues: a, eigenvectorMatrix: V } = new EigenvalueDecomposition(A, {
  assumeSymmetric: true,
});
const share = V.transpose().mmul(b).to1DArray();
const held = share.map((value, n) => (value * Math.expm1(a[n] * dt)) / a[n]);

const y = scanned();
const expected = looped();

console.log(`${points} points, ${steps} steps of ${dt} s, sensors at ${sensors.join(', ')}`);
console.log('    t/s   left  inner  right');
for (let t = 199; t < steps; t += 300) {
  const row = y.getRow(t).map((value) => value.toFixed(3).padStart(6));
  console.log(`${((t + 1) * dt).toFixed(1).padStart(7)} ${row.join(' ')}`);
}
const difference = Matrix.sub(y, expected).abs().max();
console.log(`ml-matrix's own loop agrees within 1e-10: ${difference < 1e-10 ? 'yes' : `no, ${difference}`}`);

/**
 * One channel per sensor, N modes each: h[t] = exp(delta a) h[t-1] + delta u[t] B, y[t] = <C V, h[t]>. All channels have the
 * same input, step, decays and input weights, so that these are read with a stride of 0 along what repeats.
 */
function scanned() {
  const D = sensors.length;
  const repeated = (row) => new Matrix(Array.from({ length: D }, () => row));
  const { out } = selectiveScan({
    u: { data: input, shape: [1, steps, D], strides: [steps, 1, 0] },
    delta: { data: Float64Array.of(dt), shape: [1, steps, D], strides: [0, 0, 0] },
    A: fromMatrix(repeated(a)),
    B: fromMatrix(repeated(held.map((value) => value / dt))), // the kernel multiplies by delta
    C: fromMatrix(C.mmul(V)),
  });
  const [, length, width] = out.shape;
  return toMatrix({ ...out, shape: [length, width] }, Matrix);
}

/** The same without modes: x[t] = exp(A dt) x[t-1] + bHeld u[t]. */
function looped() {
  const decay = V.mmul(Matrix.diag(a.map((value) => Math.exp(value * dt)))).mmul(V.transpose());
  const bHeld = V.mmul(Matrix.columnVector(held));
  const result = Matrix.zeros(steps, sensors.length);
  let x = Matrix.zeros(points, 1);
  for (let t = 0; t < steps; t++) {
    x = decay.mmul(x).add(Matrix.mul(bHeld, input[t]));
    result.setRow(t, C.mmul(x).to1DArray());
  }
  return result;
}
