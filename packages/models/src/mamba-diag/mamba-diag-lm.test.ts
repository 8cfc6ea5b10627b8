/** The four cells of selective x decays, as language models: counts, gradients, initial values. */
import { Generator, scope, tensor } from '@statespace/tensor';
import { describe, expect, it } from 'vitest';
import type { ModelOptions } from '../config/model-config.js';
import { createModel } from '../create-model.js';
import type { CausalLM } from '../language-model/causal-lm.js';

type Cell = Pick<ModelOptions & { decay?: 'diagonal' | 'scalar' }, 'architecture' | 'decay'>;
const cells: readonly [Cell, number][] = [
  [{ architecture: 'mamba', decay: 'diagonal' }, 1_345_472],
  [{ architecture: 'mamba', decay: 'scalar' }, 1_341_632],
  [{ architecture: 'mamba-diag', decay: 'diagonal' }, 1_343_168],
  [{ architecture: 'mamba-diag', decay: 'scalar' }, 1_339_328],
];
const tiny = { vocabSize: 7, dModel: 6, numLayers: 2, dState: 3, embeddingStd: 0.5 };
const make = (options: object, seed = 3): CausalLM =>
  createModel(options as ModelOptions, { generator: new Generator(seed), device: 'reference', dtype: 'f64' });

describe.each(cells)('%j', (cell, count) => {
  it('has the parameters of the study', () => {
    const model = make({ ...cell, vocabSize: 20_000, dModel: 64, numLayers: 2, dState: 16 });
    expect(model.parameterCount).toBe(count);
    model.dispose();
  });

  it('has the derivative of its loss along a random direction of all parameters', () => {
    const model = make({ ...cell, ...tiny });
    const draws = new Generator(4);
    const ids = tensor(draws.integers(10, 7), { shape: [2, 5], device: 'reference' });
    const targets = Int32Array.of(3, 1);
    const parameters = model.parameters();
    const start = parameters.map((parameter) => parameter.toArray());
    const direction = start.map(({ length }) => draws.normal(length));
    scope(() => model.lastPositionLoss(ids, targets).loss.backward());
    let slope = 0;
    for (const [i, parameter] of parameters.entries()) {
      const gradient = parameter.grad?.toArray() as ArrayLike<number>;
      for (const [j, step] of (direction[i] as Float64Array).entries())
        slope += step * (gradient[j] as number);
    }
    const lossAt = (distance: number): number => {
      for (const [i, parameter] of parameters.entries()) {
        const step = direction[i] as Float64Array;
        parameter.copyFrom(
          Float64Array.from(start[i] as Float64Array, (x, j) => x + distance * (step[j] as number)),
        );
      }
      return scope(() => model.lastPositionLoss(ids, targets).loss.item());
    };
    const eps = 1e-6;
    expect(slope).toBeCloseTo((lossAt(eps) - lossAt(-eps)) / (2 * eps), 6);
  });
});

describe('MambaDiagLM at the start', () => {
  const numbers = (options: object, name: string) =>
    Array.from(make(options).state().get(`backbone.layers.1.mixer.${name}`)?.toArray() ?? []);
  const wide = { architecture: 'mamba-diag', vocabSize: 5, dModel: 32, numLayers: 2, dState: 16 };

  it('decays as an untrained Mamba does, with steps log-uniform in [1e-3, 0.1]', () => {
    const theta = numbers(wide, 'theta');
    const steps = Array.from({ length: 64 }, (_, row) => Math.exp(theta[16 * row] as number));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(1e-3);
    expect(Math.max(...steps)).toBeLessThanOrEqual(0.1);
    expect(Math.max(...steps) / Math.min(...steps)).toBeGreaterThan(20);
    for (const [i, value] of theta.entries()) {
      const step = steps[Math.floor(i / 16)] as number;
      expect(value).toBeCloseTo(Math.log(step * ((i % 16) + 1)), 12);
    }
  });

  it('keeps the variance of white noise in every state', () => {
    const theta = numbers(wide, 'theta');
    for (const [i, gain] of numbers(wide, 'B').entries()) {
      const a = Math.exp(-Math.exp(theta[i] as number));
      expect((gain * gain) / (1 - a * a)).toBeCloseTo(1, 10);
    }
  });

  it('leaves decays and input weights out of weight decay', () => {
    const exempt = make(wide)
      .namedParameters()
      .filter(([name, { decay }]) => name.startsWith('backbone.layers.0.mixer') && !decay)
      .map(([name]) => name.replace('backbone.layers.0.mixer.', ''));
    expect(exempt).toEqual(['theta', 'B', 'D', 'conv1d.bias']);
  });
});

describe("init 'minimal'", () => {
  const spread = (model: CausalLM, name: string) => {
    const values = Array.from(model.state().get(name)?.toArray() ?? []);
    return {
      high: Math.max(...values.map(Math.abs)),
      std: Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length),
    };
  };
  const sizes = { vocabSize: 300, dModel: 32, numLayers: 4, dState: 4 };
  const mixer = 'backbone.layers.0.mixer';

  it.each(['mamba', 'mamba-diag'])('has the layer defaults of PyTorch in %s', (architecture) => {
    const minimal = make({ ...sizes, architecture, init: 'minimal' });
    const scaled = make({ ...sizes, architecture });
    expect(spread(minimal, 'backbone.embeddings.weight').std).toBeCloseTo(1, 1);
    expect(spread(scaled, 'backbone.embeddings.weight').std).toBeCloseTo(0.02, 3);
    const ratio =
      spread(minimal, `${mixer}.out_proj.weight`).std / spread(scaled, `${mixer}.out_proj.weight`).std;
    expect(ratio).toBeCloseTo(2, 1);
  });

  it('draws the step bias of Mamba like every other bias', () => {
    const { high } = spread(
      make({ ...sizes, architecture: 'mamba', init: 'minimal' }),
      `${mixer}.dt_proj.bias`,
    );
    expect(high).toBeLessThanOrEqual(1 / Math.sqrt(2));
    expect(high).toBeGreaterThan(0.6);
  });
});
