/** Ops and their gradients against torch in float64; cases from the golden file `nn`. */
import { type GoldenCase, goldenTensor, loadFixture, maxRelativeError } from '@statespace/ssd-core/testing';
import { describe, expect, test } from 'vitest';
import { tensor } from '../create.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { crossEntropy } from './cross-entropy.js';
import { embedding } from './embedding.js';
import { layerNorm } from './layer-norm.js';
import { rmsNorm } from './rms-norm.js';
import { split } from './split.js';
import { gelu, unary } from './unary.js';

const device = 'reference';
const { cases } = loadFixture(new URL('../../fixtures/nn.json', import.meta.url));

type Inputs = Record<string, Tensor>;
const at = (inputs: Inputs, name: string) => inputs[name] as Tensor;
const settings = (item: GoldenCase) =>
  item.params as unknown as {
    eps: number;
    group_size: number | null;
    norm_before_gate: boolean;
    ignore_index: number;
    label_smoothing: number;
    reduction: 'mean' | 'sum' | 'none';
  };

const functions: Record<string, (inputs: Inputs, item: GoldenCase) => Tensor> = {
  layer_norm: (x, item) => layerNorm(at(x, 'x'), x.weight, x.bias, settings(item)),
  rms_norm: (x, item) => rmsNorm(at(x, 'x'), at(x, 'weight'), settings(item)),
  rms_norm_ref: (x, item) => {
    const { eps, group_size: groupSize, norm_before_gate: gateAfterNorm } = settings(item);
    return rmsNorm(at(x, 'x'), at(x, 'weight'), {
      eps,
      gate: at(x, 'z'),
      gateAfterNorm,
      groupSize: groupSize ?? undefined,
    });
  },
  gelu: (x) => gelu(at(x, 'x')),
  gelu_tanh: (x) => gelu(at(x, 'x'), 'tanh'),
  softplus: (x) => at(x, 'x').softplus(),
  silu: (x) => at(x, 'x').silu(),
  sigmoid: (x) => at(x, 'x').sigmoid(),
  tanh: (x) => at(x, 'x').tanh(),
  relu: (x) => at(x, 'x').relu(),
  logsigmoid: (x) => unary('logSigmoid', at(x, 'x')),
  glu: (x) => {
    const [value, gate] = split(at(x, 'x'), [4, 4], -1) as [Tensor, Tensor];
    return value.mul(gate.sigmoid());
  },
  mse_loss: (x) => at(x, 'x').sub(at(x, 'targets_x')).square().mean(),
  softmax: (x) => at(x, 'x').softmax(),
  log_softmax: (x) => at(x, 'x').logSoftmax(),
  cross_entropy: (x, item) => {
    const { ignore_index: ignoreIndex, label_smoothing: labelSmoothing, reduction } = settings(item);
    return crossEntropy(at(x, 'logits'), at(x, 'targets'), { ignoreIndex, labelSmoothing, reduction });
  },
  embedding: (x) => embedding(at(x, 'weight'), at(x, 'tokens')),
};

describe('ops follow torch in f64', () => {
  const chosen = cases
    .filter(({ params }) => params.kind === 'function')
    .map((item) => [item.name, item] as const);
  test.each(chosen)('%s', (_, item) => {
    scope(() => {
      const inputs: Inputs = {};
      for (const [name, { dtype, shape, data }] of Object.entries(item.inputs)) {
        const integers = dtype === 'int64';
        inputs[name] = tensor(integers ? Int32Array.from(data) : Float64Array.from(data), { shape, device });
        if (!integers) at(inputs, name).requiresGrad = !['grad_y', 'targets_x'].includes(name);
      }
      const run = functions[item.params.function as string];
      if (run === undefined) throw new Error(`no op for ${String(item.params.function)}`);
      const y = run(inputs, item);
      expect(maxRelativeError(y.toArray(), goldenTensor(item.outputs, 'y'))).toBeLessThan(1e-12);
      y.backward(inputs.grad_y?.reshape(y.shape));
      for (const [name, input] of Object.entries(inputs)) {
        const wanted = item.outputs[`grad_${name}`];
        if (wanted === undefined) continue;
        expect(maxRelativeError((input.grad as Tensor).toArray(), wanted.data), name).toBeLessThan(1e-12);
      }
    });
  });
});
