/**
 * Arrays from NumPy through the selective scan and back: reads u, delta, A, B, C from .npy files of a folder, writes out.npy
 * and last_state.npy beside them. In a folder without u.npy it makes all five first.
 *
 *   node main.mjs [folder]
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { selectiveScan } from '@statespace/native-scan';
import { fromNpy, toNpy } from '@statespace/native-scan/adapters';

const folder = process.argv[2] ?? join(import.meta.dirname, 'outputs');
await mkdir(folder, { recursive: true });
if (!existsSync(join(folder, 'u.npy'))) await writeInputs();

// Numbers are used where they lie in the bytes of a file, Fortran order and all.
const read = async (name) => fromNpy(await readFile(join(folder, `${name}.npy`)), { name: `${name}.npy` });
const [u, delta, A, B, C] = await Promise.all(['u', 'delta', 'A', 'B', 'C'].map(read));
for (const [name, tensor] of Object.entries({ u, delta, A, B, C })) describe(name, tensor);

const { out, lastState } = selectiveScan({ u, delta, A, B, C, deltaSoftplus: true, returnLastState: true });

await writeFile(join(folder, 'out.npy'), toNpy(out));
await writeFile(join(folder, 'last_state.npy'), toNpy(lastState));
describe('out', out);
describe('last_state', lastState);

// Channel 0 of the first sequence, every 12th step.
const [, length, channels] = out.shape;
for (let t = 0; t < length; t += 12) {
  console.log(`out[0, ${String(t).padStart(2)}, 0] = ${out.data[t * channels].toFixed(3).padStart(6)}`);
}

function describe(name, { dtype, shape, strides }) {
  const order = strides === undefined ? '' : `, strides (${strides.join(', ')})`;
  console.log(`${name.padEnd(10)} ${dtype} (${shape.join(', ')})${order}`);
}

/** Stands for `np.save` on the other side: B 1, L 60, D 8 channels, N 4 state numbers per channel. */
async function writeInputs() {
  const [length, channels, states] = [60, 8, 4];
  const array = (shape, value) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return { data: Float32Array.from({ length: size }, (_, i) => value(i)), shape };
  };
  const inputs = {
    u: array([1, length, channels], (i) => Math.cos(i / 40)),
    delta: array([1, length, channels], (i) => Math.cos(i) - 2), // before softplus
    A: array([channels, states], (i) => -1 - (i % states)), // negative: the state decays
    B: array([1, length, states], (i) => Math.cos(0.3 * i)),
    C: array([1, length, states], (i) => Math.sin(0.7 * i)),
  };
  for (const [name, tensor] of Object.entries(inputs)) {
    await writeFile(join(folder, `${name}.npy`), toNpy(tensor));
  }
}
