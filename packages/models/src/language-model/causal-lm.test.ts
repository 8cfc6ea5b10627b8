import { maxRelativeError } from '@statespace/ssd-core/testing';
import { Generator, noGrad, scope, type Tensor, tensor, zeros } from '@statespace/tensor';
import { describe, expect, it } from 'vitest';
import type { ModelOptions } from '../config/model-config.js';
import { createModel } from '../create-model.js';
import type { CausalLM } from './causal-lm.js';

const shared = { vocabSize: 11, dModel: 8, numLayers: 2, dState: 4, embeddingStd: 0.5 } as const;
const models: readonly ModelOptions[] = [
  { ...shared, architecture: 'mamba' },
  { ...shared, architecture: 'mamba', dConv: 2, useBias: true, tieEmbeddings: false },
  { ...shared, architecture: 'mamba', decay: 'scalar', init: 'minimal' },
  { ...shared, architecture: 'mamba-diag' },
  { ...shared, architecture: 'mamba-diag', decay: 'scalar', useConvBias: false },
  { ...shared, architecture: 'mamba2', headDim: 4, nGroups: 2, chunkSize: 4 },
  {
    ...shared,
    architecture: 'mamba2',
    headDim: 4,
    nGroups: 2,
    normGroups: 2,
    skipPerChannel: true,
    timeStepLimit: [0.01, 0.05],
  },
];

const place = { device: 'reference', dtype: 'f64' } as const;
const make = (options: ModelOptions): CausalLM =>
  createModel(options, { ...place, generator: new Generator(2) });
const ids = (batch: number, seqLen: number): Tensor =>
  tensor(new Generator(9).integers(batch * seqLen, 11), { shape: [batch, seqLen], device: 'reference' });

describe.each(models)('CausalLM %#: $architecture', (options) => {
  it('step by step gives the logits of the parallel form, from the very first token', () => {
    const model = make(options);
    const input = ids(2, 9);
    const whole = noGrad(() => model.forward(input));
    const state = model.initState(2);
    for (let t = 0; t < 9; t++) {
      const logits = model.step(Int32Array.from(input.select(1, t).toArray()), state);
      expect(maxRelativeError(logits.toArray(), whole.select(1, t).toArray())).toBeLessThan(1e-13);
    }
    expect(state.position).toBe(9);
    state.dispose();
  });

  it.each([1, 2, 3, 5, 8])('prefills in two parts, cut after %i, as in one', (cut) => {
    const model = make(options);
    const input = ids(2, 9);
    const whole = model.prefill(input);
    const first = model.prefill(input.slice(1, 0, cut));
    const { logits, state } = model.prefill(input.slice(1, cut), first.state);
    expect(state).toBe(first.state);
    expect(maxRelativeError(logits.toArray(), whole.logits.toArray())).toBeLessThan(1e-13);
    for (const [i, { conv, ssm }] of state.layers.entries()) {
      const other = whole.state.layers[i] as (typeof state.layers)[number];
      expect(maxRelativeError(conv.toArray(), other.conv.toArray())).toBeLessThan(1e-13);
      expect(maxRelativeError(ssm.toArray(), other.ssm.toArray())).toBeLessThan(1e-13);
    }
  });

  it('has the last-position loss of the last column of targets', () => {
    const model = make(options);
    const input = ids(3, 6);
    const last = Int32Array.of(1, 7, 4);
    const targets = new Int32Array(18).fill(-100);
    for (const [row, target] of last.entries()) targets[6 * row + 5] = target;
    const whole = model.loss(input, tensor(targets, { shape: [3, 6], device: 'reference' }));
    whole.loss.backward();
    const gradients = model.parameters().map((parameter) => parameter.grad?.toArray() ?? []);
    for (const parameter of model.parameters()) parameter.grad = undefined;
    const short = model.lastPositionLoss(input, last);
    short.loss.backward();
    expect(short.loss.item()).toBeCloseTo(whole.loss.item(), 13);
    expect(short.correct.item()).toBe(whole.correct.item());
    for (const [i, [name, parameter]] of model.namedParameters().entries()) {
      const error = maxRelativeError(parameter.grad?.toArray() ?? [], gradients[i] as ArrayLike<number>);
      expect(error, name).toBeLessThan(1e-12);
    }
  });

  it('keeps states apart when one is cloned', () => {
    const model = make(options);
    const { state } = model.prefill(ids(1, 4));
    const copy = state.clone();
    const logits = model.step(Int32Array.of(3), state).toArray();
    expect(copy.position).toBe(4);
    expect(model.step(Int32Array.of(3), copy).toArray()).toEqual(logits);
    state.dispose();
    copy.dispose();
  });
});

describe('CausalLM', () => {
  const model = make(models[0] as ModelOptions);

  it('keeps a state that was made inside a scope', () => {
    const state = scope(() => {
      const own = model.initState(1);
      model.step(Int32Array.of(1), own);
      return { made: own }.made;
    });
    expect(model.step(Int32Array.of(2), state).shape).toEqual([1, 11]);
    state.dispose();
  });

  it('refuses wrong shapes and states', () => {
    expect(() => model.forward(zeros([3], { dtype: 'i32', device: 'reference' }))).toThrow(
      /\(B, L\).*got \(3\)/,
    );
    expect(() => model.prefill(zeros([1, 0], { dtype: 'i32', device: 'reference' }))).toThrow(/L at least 1/);
    expect(() => model.step(Int32Array.of(1, 2), model.initState(1))).toThrow(/state of 2 sequences.*got 1/);
    expect(() =>
      model.step(zeros([1, 1], { dtype: 'i32', device: 'reference' }), model.initState(1)),
    ).toThrow(/\(B\), got \(1, 1\)/);
    expect(() => model.initState(0)).toThrow(/positive integer/);
    expect(() => model.forward(tensor(Int32Array.of(11), { shape: [1, 1], device: 'reference' }))).toThrow(
      /11/,
    );
  });
});
