import { Generator, type Tensor, zeros } from '@statespace/tensor';
import { describe, expect, it } from 'vitest';
import { createModel } from '../create-model.js';

const model = createModel(
  { architecture: 'mamba', vocabSize: 8, dModel: 8, numLayers: 1, dState: 2 },
  { generator: new Generator(0), device: 'reference' },
);
const copy = () =>
  new Map<string, Tensor>([...model.state()].map(([name, value]) => [name, value.detach().clone()]));
const numbers = () => model.parameters().map((p) => [...p.toArray()]);

describe('Module', () => {
  it('loads what it gave', () => {
    const before = numbers();
    const saved = copy();
    for (const parameter of model.parameters()) parameter.fill(0);
    model.loadState(saved);
    expect(numbers()).toEqual(before);
  });

  it('names what is missing, unexpected or of another shape, and changes nothing', () => {
    const before = numbers();
    const missing = copy();
    missing.delete('backbone.norm_f.weight');
    missing.set('backbone.norm_g.weight', zeros([8], { device: 'reference' }));
    expect(() => model.loadState(missing)).toThrow(
      /exactly the 12 tensors.*without backbone\.norm_f\.weight and with unexpected backbone\.norm_g\.weight/,
    );
    const reshaped = copy();
    reshaped.set('backbone.norm_f.weight', zeros([9], { device: 'reference' }));
    expect(() => model.loadState(reshaped)).toThrow(/backbone\.norm_f\.weight: expected \(8\), got \(9\)/);
    const empty = new Map<string, Tensor>();
    expect(() => model.loadState(empty)).toThrow(/and 8 more/);
    expect(numbers()).toEqual(before);
  });
});
