import { type GoldenCase, goldenTensor, loadFixture, maxRelativeError } from '@statespace/ssd-core/testing';
import { describe, expect, test } from 'vitest';
import { noGrad } from '../autograd/mode.js';
import { full, tensor, zeros } from '../create.js';
import { encodeSafetensors } from '../io/index.js';
import { type Parameter, type ParameterOptions, parameter } from '../parameter.js';
import { scope } from '../scope.js';
import { memoryStats } from '../storage.js';
import type { Tensor } from '../tensor.js';
import { Adam } from './adam.js';
import { AdamW } from './adamw.js';
import { clipGradNorm } from './clip-grad-norm.js';
import { findNonFinite } from './find-non-finite.js';
import type { Optimizer } from './optimizer.js';
import { constantSchedule, type Schedule, warmupCosine, warmupLinear } from './schedules.js';
import { SGD } from './sgd.js';

const device = 'reference';
const { cases } = loadFixture(new URL('../../fixtures/nn.json', import.meta.url));
const ofKind = (kind: string) =>
  cases.filter((item) => item.params.kind === kind).map((item) => [item.name, item] as const);

function leaf(item: GoldenCase, name: string, options?: ParameterOptions): Parameter {
  const { data, shape } = goldenTensor(item.inputs, name);
  return parameter(tensor(data, { shape, device }), options);
}

interface GoldenOptions {
  readonly lr: number;
  readonly weight_decay?: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

function optimizerOf(item: GoldenCase, parameters: (readonly [string, Parameter])[]): Optimizer {
  const { weight_decay: weightDecay, ...options } = item.params.options as unknown as GoldenOptions;
  const all = weightDecay === undefined ? options : { ...options, weightDecay };
  if (item.params.optimizer === 'SGD') return new SGD(parameters, all);
  return item.params.optimizer === 'Adam' ? new Adam(parameters, all) : new AdamW(parameters, all);
}

/** One golden step: hands the next gradient over and updates. */
function step(item: GoldenCase, index: number, parameters: readonly Parameter[], optimizer: Optimizer): void {
  parameters.forEach((p, i) => {
    const { data, shape } = goldenTensor(item.inputs, `g.${i}`);
    p.grad = tensor(data.slice(index * p.size, (index + 1) * p.size), { shape: shape.slice(1), device });
  });
  optimizer.step();
  optimizer.zeroGrad();
}

describe('optimisers follow torch step by step in f64', () => {
  test.each(ofKind('optim'))('%s', (_, item) => {
    // The second parameter group of adamw-groups: a quarter of the rate, no decay.
    const second = item.params.groups === null ? {} : { lrScale: 0.25, decay: false };
    const parameters = [leaf(item, 'p.0'), leaf(item, 'p.1', second)];
    const optimizer = optimizerOf(
      item,
      parameters.map((p, i) => [`p${i}`, p] as const),
    );
    for (let index = 0; index < (item.params.steps as number); index++) {
      step(item, index, parameters, optimizer);
      parameters.forEach((p, i) => {
        const trajectory = goldenTensor(item.outputs, `traj.${i}`).data;
        const wanted = trajectory.slice(index * p.size, (index + 1) * p.size);
        expect(maxRelativeError(p.toArray(), wanted)).toBeLessThan(1e-12);
      });
    }
  });
});

describe('clipGradNorm', () => {
  test.each(ofKind('clip'))('%s', (_, item) => {
    const parameters = [leaf(item, 'g.0'), leaf(item, 'g.1')];
    for (const p of parameters) p.grad = p.clone();
    const { norm, factor } = noGrad(() => clipGradNorm(parameters, item.params.max_norm as number));
    expect(maxRelativeError(norm.toArray(), goldenTensor(item.outputs, 'total_norm'))).toBeLessThan(1e-12);
    parameters.forEach((p, i) => {
      const clipped = noGrad(() => (p.grad as Tensor).mul(factor));
      expect(maxRelativeError(clipped.toArray(), goldenTensor(item.outputs, `g.${i}`))).toBeLessThan(1e-12);
    });
  });
  test('the factor scales the gradients of every optimiser', () => {
    for (const make of [
      (p: Parameter) => new SGD([['p', p]], { lr: 0.1, momentum: 0.5, weightDecay: 0.1 }),
      (p: Parameter) => new Adam([['p', p]], { lr: 0.1, weightDecay: 0.1 }),
      (p: Parameter) => new AdamW([['p', p]], { lr: 0.1, weightDecay: 0.1 }),
    ]) {
      const results = [1, 2].map((times) => {
        const p = parameter(tensor(new Float64Array([1, -2, 3]), { device }));
        p.grad = tensor(
          new Float64Array([0.3, -0.1, 0.2]).map((g) => g * times),
          { device },
        );
        make(p).step(times === 1 ? {} : { gradScale: tensor(new Float64Array([0.5]), { device }) });
        return p.toArray();
      });
      expect(maxRelativeError(results[1] as Float64Array, results[0] as Float64Array)).toBeLessThan(1e-15);
    }
  });
  test('of nothing is zero', () => {
    expect(clipGradNorm([], 1).norm.item()).toBe(0);
    expect(() => clipGradNorm([], 0)).toThrow(/above 0/);
  });
});

describe('schedules', () => {
  const schedules: Record<string, (warmupSteps: number, totalSteps: number) => Schedule> = {
    get_cosine_schedule_with_warmup: (warmupSteps, totalSteps) => warmupCosine({ warmupSteps, totalSteps }),
    get_linear_schedule_with_warmup: (warmupSteps, totalSteps) => warmupLinear({ warmupSteps, totalSteps }),
    get_constant_schedule_with_warmup: (warmupSteps) => constantSchedule({ warmupSteps }),
    CosineAnnealingLR: (_, totalSteps) => warmupCosine({ totalSteps, floor: 0.01 }),
  };
  test.each(ofKind('schedule'))('%s', (_, item) => {
    const { num_warmup_steps: warmup = 0, num_training_steps, T_max, function: name } = item.params;
    const total = (num_training_steps ?? T_max) as number;
    const schedule = schedules[name as string]?.(warmup as number, total) as Schedule;
    const wanted = goldenTensor(item.outputs, 'multiplier').data;
    // Beyond the end the originals let the cosine rise again; ours stays at the floor.
    const count = total + 1;
    expect(
      maxRelativeError(
        Float64Array.from({ length: count }, (_, i) => schedule(i)),
        wanted.slice(0, count),
      ),
    ).toBeLessThan(1e-12);
    expect(schedule(total + 7)).toBe(schedule(total));
  });
  test('drives the rate of the optimiser, together with lrScale', () => {
    const p = parameter(zeros([1], { device, dtype: 'f64' }), { lrScale: 2 });
    const optimizer = new SGD([['p', p]], {
      lr: 1,
      schedule: warmupLinear({ warmupSteps: 2, totalSteps: 4 }),
    });
    const seen = [0, 1, 2, 3, 4].map(() => {
      p.grad = full([1], -1, { device, dtype: 'f64' });
      optimizer.step();
      return p.item();
    });
    expect(seen).toEqual([0, 1, 3, 4, 4]);
    optimizer.lr = 10;
    expect([optimizer.steps, optimizer.currentLr]).toEqual([5, 0]);
  });
  test('refuses senseless settings', () => {
    expect(() => warmupCosine({ totalSteps: -1 })).toThrow(/totalSteps/);
    expect(() => warmupLinear({ totalSteps: 3, floor: 2 })).toThrow(/floor/);
  });
});

describe('state', () => {
  const item = cases.find(({ name }) => name === 'adam-l2') as GoldenCase;
  const start = () => {
    const parameters = [leaf(item, 'p.0'), leaf(item, 'p.1')];
    const optimizer = optimizerOf(
      item,
      parameters.map((p, i) => [`p${i}`, p] as const),
    );
    return { parameters, optimizer };
  };
  test('goes on with the same bits', () => {
    const whole = start();
    for (let i = 0; i < 5; i++) step(item, i, whole.parameters, whole.optimizer);
    const first = start();
    for (let i = 0; i < 2; i++) step(item, i, first.parameters, first.optimizer);
    const second = start();
    second.parameters.forEach((p, i) => {
      p.copyFrom(first.parameters[i] as Parameter);
    });
    second.optimizer.loadStateDict(first.optimizer.stateDict());
    expect(encodeSafetensors(second.optimizer.stateDict())).toEqual(
      encodeSafetensors(first.optimizer.stateDict()),
    );
    for (let i = 2; i < 5; i++) step(item, i, second.parameters, second.optimizer);
    second.parameters.forEach((p, i) => {
      expect(p.toArray()).toEqual(whole.parameters[i]?.toArray());
    });
  });
  test('names its tensors, and refuses others before it changes anything', () => {
    const { optimizer, parameters } = start();
    step(item, 0, parameters, optimizer);
    const state = optimizer.stateDict();
    expect(Object.keys(state)).toEqual([
      'm.p0',
      'v.p0',
      'm.p1',
      'v.p1',
      'steps',
      'beta1Product',
      'beta2Product',
    ]);
    const fresh = start().optimizer;
    const { 'm.p1': _, ...incomplete } = state;
    expect(() => fresh.loadStateDict(incomplete)).toThrow(/m\.p1.*got nothing/);
    expect(() => fresh.loadStateDict({ ...state, extra: state.steps as Tensor })).toThrow(/extra/);
    expect(() => fresh.loadStateDict({ ...state, 'v.p0': state.steps as Tensor })).toThrow(/v\.p0.*\(3, 2\)/);
    expect(fresh.steps).toBe(0);
    expect(new Set(fresh.stateDict()['m.p0']?.toArray())).toEqual(new Set([0]));
  });
  test('counts a tied parameter once and leaves one without gradient alone', () => {
    const tied = parameter(full([1], 1, { device, dtype: 'f64' }));
    const idle = parameter(full([1], 1, { device, dtype: 'f64' }));
    const optimizer = new SGD(
      [
        ['a', tied],
        ['b', tied],
        ['c', idle],
      ],
      { lr: 0.5 },
    );
    tied.grad = full([1], 1, { device, dtype: 'f64' });
    optimizer.step();
    expect([tied.item(), idle.item()]).toEqual([0.5, 1]);
    expect(
      () =>
        new SGD(
          [
            ['a', tied],
            ['a', idle],
          ],
          { lr: 1 },
        ),
    ).toThrow(/twice/);
  });
  test('refuses rates and betas out of range', () => {
    expect(() => new AdamW([], { lr: Number.NaN })).toThrow(/AdamW: lr/);
    expect(() => new Adam([], { lr: 1, betas: [1, 0.9] })).toThrow(/Adam: betas\[0\]/);
    expect(() => new SGD([], { lr: 1, nesterov: true })).toThrow(/nesterov/);
  });
});

test('2,000 steps of AdamW with clipping hold the same memory after every step', () => {
  const weight = parameter(full([4, 3], 0.1, { device }));
  const bias = parameter(zeros([4], { device }));
  const named = [
    ['weight', weight],
    ['bias', bias],
  ] as const;
  const optimizer = new AdamW(named, { lr: 0.05 });
  const x = full([5, 3], 0.5, { device });
  const counts = new Set<number>();
  const losses: number[] = [];
  for (let i = 0; i < 2000; i++) {
    losses.push(
      scope(() => {
        const loss = x.matmul(weight.transpose(0, 1)).add(bias).sub(1).square().mean();
        loss.backward();
        optimizer.step({ gradScale: clipGradNorm(named, 0.5).factor });
        optimizer.zeroGrad();
        return loss.item();
      }),
    );
    const { buffers, bytes } = memoryStats();
    counts.add(buffers * 1e9 + bytes);
  }
  expect(counts.size).toBe(1);
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) * 1e-3);
});

test('findNonFinite names the first parameter at fault', () => {
  const a = parameter(full([2], 1, { device }));
  const b = parameter(full([2], 1, { device }));
  const named = [
    ['a', a],
    ['b', b],
  ] as const;
  expect(findNonFinite(named)).toBeUndefined();
  b.grad = full([2], Number.POSITIVE_INFINITY, { device });
  expect(findNonFinite(named)).toEqual({ name: 'b', what: 'gradient' });
  a.fill(Number.NaN);
  expect(findNonFinite(named)).toEqual({ name: 'a', what: 'value' });
});
