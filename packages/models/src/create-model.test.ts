import { Generator, type Tensor } from '@statespace/tensor';
import { describe, expect, it } from 'vitest';
import type { ModelOptions } from './config/model-config.js';
import { createModel } from './create-model.js';

const sizes = { vocabSize: 96, dModel: 64, numLayers: 4, device: undefined };
const mamba: ModelOptions = { architecture: 'mamba', vocabSize: 96, dModel: 64, numLayers: 4 };
const mamba2: ModelOptions = { ...mamba, architecture: 'mamba2', headDim: 16, dState: 16 };
const make = (options: ModelOptions, seed = 0) =>
  createModel(options, { generator: new Generator(seed), device: 'reference' });

function parametersOf(options: ModelOptions): Map<string, Tensor> {
  return make(options).state();
}

function statistics(values: ArrayLike<number>) {
  const list = Array.from(values);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const variance = list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length;
  return { mean, std: Math.sqrt(variance), low: Math.min(...list), high: Math.max(...list) };
}

const mixer = 'backbone.layers.3.mixer';

describe('createModel', () => {
  it('counts the parameters of the duality study', () => {
    const model = createModel(
      { architecture: 'mamba', vocabSize: 20_000, dModel: 64, numLayers: 2, dState: 16 },
      { device: 'reference' },
    );
    expect(model.parameterCount).toBe(1_345_472);
    model.dispose();
  });

  it('repeats with the seed and changes without', () => {
    const values = (seed: number) =>
      make(mamba, seed)
        .parameters()
        .map((p) => [...p.toArray()]);
    expect(values(3)).toEqual(values(3));
    expect(values(3)).not.toEqual(values(4));
  });

  it('starts Mamba as mamba_ssm does', () => {
    const p = parametersOf(mamba);
    const of = (name: string) => (p.get(name) as Tensor).toArray();
    const embedding = statistics(of('backbone.embeddings.weight'));
    expect(embedding.std).toBeCloseTo(0.02, 3);
    expect(Math.abs(embedding.mean)).toBeLessThan(1e-3);
    const aLog = of(`${mixer}.A_log`);
    for (let n = 0; n < 16; n++) expect(aLog[16 * 5 + n]).toBeCloseTo(Math.log(n + 1), 6);
    expect(new Set(of(`${mixer}.D`))).toEqual(new Set([1]));
    expect(new Set(of('backbone.norm_f.weight'))).toEqual(new Set([1]));
    const bounds: [string, number][] = [
      ['in_proj.weight', 1 / 8],
      ['x_proj.weight', 1 / Math.sqrt(128)],
      ['dt_proj.weight', 1 / 2],
      ['conv1d.weight', 1 / 2],
      ['conv1d.bias', 1 / 2],
      ['out_proj.weight', 1 / Math.sqrt(128) / 2],
    ];
    for (const [name, bound] of bounds) {
      const { low, high, std } = statistics(of(`${mixer}.${name}`));
      expect(Math.max(-low, high), name).toBeLessThanOrEqual(bound);
      expect(std / (bound / Math.sqrt(3)), name).toBeGreaterThan(0.85);
    }
  });

  it.each<[ModelOptions, string]>([
    [mamba, 'dt_proj.bias'],
    [{ ...mamba2, dModel: 256, headDim: 4 }, 'dt_bias'],
  ])('starts the steps log-uniform between their bounds (%#)', (options, name) => {
    const bias = parametersOf(options).get(`${mixer}.${name}`) as Tensor;
    const steps = Array.from(bias.toArray(), (b) => Math.log(Math.log1p(Math.exp(b))));
    const { mean, low, high } = statistics(steps);
    expect(low).toBeGreaterThanOrEqual(Math.log(1e-3) - 1e-5);
    expect(high).toBeLessThanOrEqual(Math.log(0.1) + 1e-5);
    expect(mean).toBeCloseTo((Math.log(1e-3) + Math.log(0.1)) / 2, 0);
  });

  it('starts Mamba-2 as mamba_ssm does', () => {
    const p = parametersOf({ ...mamba2, dModel: 256, headDim: 4 });
    const { low, high, mean } = statistics(
      (p.get(`${mixer}.A_log`) as Tensor).toArray().map((a) => Math.exp(a)),
    );
    expect(low).toBeGreaterThanOrEqual(1);
    expect(high).toBeLessThanOrEqual(16);
    expect(Math.abs(mean - 8.5)).toBeLessThan(1.6);
    expect(new Set((p.get(`${mixer}.norm.weight`) as Tensor).toArray())).toEqual(new Set([1]));
  });

  it('exempts the state-space parameters, norms and biases from decay, and nothing else', () => {
    const exempt = /(A_log|D|dt_bias|bias|norm\.weight|norm_f\.weight)$/;
    for (const options of [mamba, { ...mamba2, useBias: true, tieEmbeddings: false } as ModelOptions]) {
      for (const [name, parameter] of make(options).namedParameters()) {
        expect(parameter.decay, name).toBe(!exempt.test(name));
      }
    }
  });

  it('makes a head of its own when not tied', () => {
    const model = make({ ...mamba, tieEmbeddings: false } as ModelOptions);
    expect(model.state().has('lm_head.weight')).toBe(true);
    expect(make(mamba).state().has('lm_head.weight')).toBe(false);
  });

  it('refuses unknown keys', () => {
    expect(() => createModel({ ...mamba, ...sizes } as unknown as ModelOptions)).toThrow(
      /device.*unknown key/,
    );
  });
});
