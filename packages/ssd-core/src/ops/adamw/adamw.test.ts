import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import type { AdamWArgs, AdamWSlot } from '../../kernels/dense-args.js';
import { createReferenceKernels } from '../../reference/index.js';
import { type HostTensor, hostTensor, maxRelativeError, type NnCase, nnCases } from '../../testing/index.js';
import { adamwRef } from './adamw.js';

interface Options {
  lr: number;
  weight_decay?: number;
  betas?: [number, number];
  eps?: number;
}

/** Rows `step` of a tensor whose leading axis counts steps. */
function atStep(tensor: HostTensor, step: number): HostTensor {
  const size = tensor.data.length / tensor.shape[0]!;
  return { ...tensor, data: tensor.data.slice(step * size, (step + 1) * size), shape: tensor.shape.slice(1) };
}

/** Runs all steps of a golden optimiser case and compares every parameter after every step. */
function expectTrajectory({ params, inputs, outputs }: NnCase): void {
  const options = params.options as unknown as Options;
  const groups = (params.groups ?? []) as unknown as ({ params: number[] } & Partial<Options>)[];
  // torch.optim.Adam has no decay by default, AdamW 0.01.
  const defaultDecay = params.optimizer === 'AdamW' ? 0.01 : 0;
  const slots: AdamWSlot[] = [0, 1].map((index) => {
    const own = { ...options, ...groups.find((group) => group.params.includes(index)) };
    const { data, shape, dtype } = inputs[`p.${index}`]!;
    const zeros = () => hostTensor(new Float64Array(data.length), shape, dtype);
    return {
      param: hostTensor(data, shape, dtype),
      grad: zeros(),
      m: zeros(),
      v: zeros(),
      lrScale: own.lr / options.lr,
      weightDecay: own.weight_decay ?? defaultDecay,
    };
  });
  const [beta1, beta2] = options.betas ?? [0.9, 0.999];
  let power1 = 1;
  let power2 = 1;
  for (let step = 0; step < (params.steps as number); step++) {
    power1 *= beta1;
    power2 *= beta2;
    slots.forEach((slot, index) => {
      (slot.grad as HostTensor).data.set(atStep(inputs[`g.${index}`]!, step).data);
    });
    const schedule = hostTensor([options.lr, 1 - power1, 1 - power2], [3]);
    createReferenceKernels().adamw({ slots, beta1, beta2, eps: options.eps ?? 1e-8, schedule });
    slots.forEach((slot, index) => {
      const wanted = atStep(outputs[`traj.${index}`]!, step);
      expect(maxRelativeError(slot.param as HostTensor, wanted)).toBeLessThan(1e-12);
    });
  }
}

function oneSlot(change: Partial<AdamWSlot> = {}, options: Partial<AdamWArgs> = {}): AdamWArgs {
  const ones = () => hostTensor([1, 1], [2]);
  const slot = { param: ones(), grad: ones(), m: ones(), v: ones(), lrScale: 1, weightDecay: 0, ...change };
  const schedule = hostTensor([0.1, 1, 1], [3]);
  return { slots: [slot], beta1: 0.9, beta2: 0.99, eps: 1e-8, schedule, ...options };
}

describe('adamw', () => {
  test.each([...nnCases('adamw'), ...nnCases('adam').filter(({ name }) => name === 'adam')])(
    'golden $name',
    expectTrajectory,
  );

  test('gradScale scales the gradient, lrScale and weightDecay belong to the slot', () => {
    const scaled = adamwRef(oneSlot({}, { gradScale: hostTensor([0.5], [1]) }));
    const halved = adamwRef(oneSlot({ grad: hostTensor([0.5, 0.5], [2]) }));
    expect(scaled).toEqual(halved);
    const frozen = adamwRef(oneSlot({ lrScale: 0, weightDecay: 10 }));
    expect([...frozen[0]!.param.data]).toEqual([1, 1]);
    const decayed = adamwRef(oneSlot({ weightDecay: 0.5 }))[0]!.param.data[0]!;
    const plain = adamwRef(oneSlot())[0]!.param.data[0]!;
    expect(plain - decayed).toBeCloseTo(0.05, 14);
  });

  test('a NaN gradient shows in the parameter', () => {
    const grad = hostTensor([Number.NaN, 1], [2]);
    expect(adamwRef(oneSlot({ grad }))[0]!.param.data[0]).toBeNaN();
  });

  test('names what does not fit', () => {
    expect(() => adamwRef(oneSlot({ m: hostTensor([1], [1]) }))).toThrow(
      'adamw: slots[0].m: expected (2), got (1)',
    );
    expect(() => adamwRef(oneSlot({}, { schedule: hostTensor([1], [1]) }))).toThrow(ShapeError);
    expect(() => adamwRef(oneSlot({}, { beta2: 1.5 }))).toThrow(ArgumentError);
    expect(() => adamwRef(oneSlot({ weightDecay: -1 }))).toThrow(/slots\[0\]\.weightDecay/);
    expect(() => adamwRef(oneSlot({}, { eps: Number.NaN }))).toThrow(/adamw: eps/);
  });
});
