/** Logits, losses, hidden states, gradients, caches and decoding against Hugging Face (see the fixture's note). */
import {
  type GoldenCase,
  goldenCases,
  hostTensor,
  loadFixture,
  maxRelativeError,
  sliced,
} from '@statespace/ssd-core/testing';
import { scope } from '@statespace/tensor';
import { describe, expect, it, test } from 'vitest';
import { canRun } from '../testing/backends.js';
import { arrayOf, goldenTensor, modelOf, type Place } from '../testing/golden-model.js';

const fixture = loadFixture(new URL('../../fixtures/mamba-models.json', import.meta.url)).cases;
const golden = goldenCases('mamba-models', test.skip);
const all = golden.length > 0 ? golden : fixture;

/** Tolerances of whole models: rounding of float64; of float32 over a few layers. */
const places: readonly (Place & { readonly logits: number; readonly gradients: number })[] = [
  { device: 'reference', dtype: 'f64', logits: 1e-12, gradients: 1e-12 },
  { device: 'reference', dtype: 'f32', logits: 1e-5, gradients: 1e-4 },
  { device: 'cpu', dtype: 'f32', logits: 1e-5, gradients: 1e-4 },
];

/** Last columns of a Hugging Face convolution cache, which holds one input more than the convolution looks back. */
function convCache(cache: ReturnType<typeof arrayOf>, width: number) {
  const whole = hostTensor(cache.data, cache.shape);
  const columns = cache.shape[2] as number;
  return sliced(whole, 2, columns - width, columns);
}

for (const place of places)
  if (!canRun(place.device)) test.skip(`golden models: no ${place.device} backend here`);

describe.each(places.filter(({ device }) => canRun(device)))(
  'golden models on $device in $dtype',
  (place) => {
    const run = (name: string, check: (golden: GoldenCase) => void) =>
      it.each(all.map((one) => [one.name, one] as const))(`%s: ${name}`, (_, one) => scope(() => check(one)));

    run('logits and hidden states', (one) => {
      const model = modelOf(one, place);
      const ids = goldenTensor(arrayOf(one.inputs, 'input_ids'), place);
      const error = (name: string, ours: ArrayLike<number>) => {
        expect(maxRelativeError(ours, arrayOf(one.outputs, name).data), name).toBeLessThan(place.logits);
      };
      error('logits', model.forward(ids).toArray());
      const { layers, embeddings, normF } = model.backbone;
      let x = embeddings.forward(ids);
      for (const [i, layer] of layers.entries()) {
        x = layer.forward(x);
        // The library reports the stream after each block, not before it as the file's note has it.
        error(`hidden.${i}`, x.toArray());
      }
      error(`hidden.${layers.length}`, normF.forward(x).toArray());
    });

    run('loss and the gradient of every parameter', (one) => {
      const model = modelOf(one, place);
      const [ids, targets] = ['input_ids', 'targets'].map((name) =>
        goldenTensor(arrayOf(one.inputs, name), place),
      );
      const { loss } = model.loss(ids as never, targets as never);
      expect(maxRelativeError([loss.item()], arrayOf(one.outputs, 'loss').data)).toBeLessThan(place.logits);
      loss.backward();
      const wanted = Object.keys(one.outputs).filter((name) => name.startsWith('grad_'));
      expect(model.namedParameters()).toHaveLength(wanted.length);
      for (const [name, parameter] of model.namedParameters()) {
        const ours = parameter.grad?.toArray() ?? [];
        const error = maxRelativeError(ours, arrayOf(one.outputs, `grad_${name}`).data);
        expect(error, `grad_${name}`).toBeLessThan(place.gradients);
      }
      model.dispose();
    });

    run('caches after a prefill, and decoding from them', (one) => {
      const model = modelOf(one, place);
      const input = arrayOf(one.inputs, 'input_ids');
      const [batch, seqLen] = input.shape as [number, number];
      const promptLength = one.params.prompt_len as number;
      const ids = goldenTensor(input, place);
      const { logits, state } = model.prefill(ids.slice(1, 0, promptLength).contiguous());
      for (const [i, { conv, ssm }] of state.layers.entries()) {
        const cache = convCache(arrayOf(one.outputs, `cache.${i}.conv`), conv.shape[2] as number);
        expect(maxRelativeError(conv.toArray(), cache), `cache.${i}.conv`).toBeLessThan(place.logits);
        const ssmError = maxRelativeError(ssm.toArray(), arrayOf(one.outputs, `cache.${i}.ssm`).data);
        expect(ssmError, `cache.${i}.ssm`).toBeLessThan(place.logits);
      }
      const whole = model.forward(ids);
      const agree = (ours: ArrayLike<number>, position: number) => {
        const error = maxRelativeError(ours, whole.select(1, position).toArray());
        expect(error, `position ${position}`).toBeLessThan(place.logits);
      };
      agree(logits.toArray(), promptLength - 1);
      for (let t = promptLength; t < seqLen; t++) {
        const stepped = model.step(Int32Array.from(ids.select(1, t).toArray()), state).toArray();
        agree(stepped, t);
        // Hugging Face does not clamp the step in its one-token form, so that case has no golden decoding.
        const decoded = one.outputs.decode_logits;
        if (decoded === undefined) continue;
        const at = sliced(hostTensor(decoded.data, decoded.shape), 1, t - promptLength, t - promptLength + 1);
        expect(maxRelativeError(stepped, at), `decode ${t}`).toBeLessThan(place.logits);
      }
      expect([state.batch, state.position]).toEqual([batch, seqLen]);
      state.dispose();
    });
  },
);
