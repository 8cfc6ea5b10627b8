/** jax-js in WebAssembly, jitted: the scan, unrolled since it has no loop, and the matrix product. One thread. */
import { readFileSync } from 'node:fs';
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { bestSeconds, errorOf, readCase, report } from './case.mjs';

await init('wasm');
defaultDevice('wasm');
const manifest = new URL('../package.json', import.meta.resolve('@jax-js/jax'));
console.log(JSON.stringify({ versions: { 'jax-js': JSON.parse(readFileSync(manifest, 'utf8')).version } }));

// Operations take ownership of their arrays; `ref` keeps one for a further use.
function scan({ u, delta, A, B, C, D, z, deltaBias }) {
  const [batch, seqLen, dim] = u.shape;
  const dState = A.shape[1];
  const step = nn.softplus(np.add(delta, deltaBias));
  const at = (tensor, t) => tensor.ref.slice([], t);
  let h = np.zeros([batch, dim, dState]);
  const outs = [];
  for (let t = 0; t < seqLen; t++) {
    const delta_t = at(step, t);
    const driven = np
      .multiply(delta_t.ref, at(u, t))
      .reshape([batch, dim, 1])
      .mul(at(B, t).reshape([batch, 1, dState]));
    h = np
      .exp(delta_t.reshape([batch, dim, 1]).mul(A.ref))
      .mul(h)
      .add(driven);
    outs.push(h.ref.mul(at(C, t).reshape([batch, 1, dState])).sum(-1));
  }
  return np.stack(outs, 1).add(u.mul(D)).mul(nn.silu(z));
}

const forms = { 'selective-scan': scan, gemm: ({ a, b }) => np.matmul(a, b) };

for (const one of process.argv.slice(3).map(readCase)) {
  const form = forms[one.family];
  if (form === undefined || one.shape.seqLen > 128) continue;
  const arrays = Object.fromEntries(
    Object.entries(one.arrays).map(([name, { data, shape }]) => [name, np.array(data, { shape })]),
  );
  const again = () => Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.ref]));
  const forward = jit(form);
  const error = errorOf(await forward(again()).data(), one.expected);
  const seconds = await bestSeconds(async () => {
    const out = forward(again());
    await blockUntilReady(out);
    out.dispose();
  });
  report(one, 'jax-js', 'forward', seconds, error);
  if (one.checked === undefined) continue;
  const training = jit(valueAndGrad((a) => form(a).sum()));
  const gradientOf = async () => {
    const [value, gradients] = training(again());
    await blockUntilReady([value, gradients]);
    value.dispose();
    for (const [name, array] of Object.entries(gradients)) if (name !== one.checked) array.dispose();
    return gradients[one.checked];
  };
  const gradientError = errorOf(await (await gradientOf()).data(), one.expectedGradient);
  report(
    one,
    'jax-js',
    'training',
    await bestSeconds(async () => (await gradientOf()).dispose()),
    gradientError,
  );
}
