/**
 * AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2), decoupled weight decay:
 *   g = gradScale grad;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   param = param (1 - lr lrScale weightDecay) - lr lrScale (m / c1) / (sqrt(v / c2) + eps)
 */
import { ArgumentError } from '../../errors.js';
import type { AdamWArgs, AdamWSlot } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { everyDType, expectInput, expectOutput, floatDTypes } from '../../tensor-checks.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';

const parameterDTypes = everyDType.filter(
  (dtype) => floatDTypes.includes(dtype) || dtype === 'c64' || dtype === 'c128',
);

/** New values of one slot. */
export interface AdamWResult {
  readonly param: Float64Tensor;
  readonly m: Float64Tensor;
  readonly v: Float64Tensor;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkAdamW(op: string, args: AdamWArgs): void {
  args.slots.forEach((slot, index) => {
    const { shape } = slot.param;
    const at = (field: string) => `slots[${index}].${field}`;
    const requirement = { shape, dtypes: parameterDTypes };
    expectOutput(op, at('param'), slot.param, requirement);
    expectInput(op, at('grad'), slot.grad, requirement);
    expectOutput(op, at('m'), slot.m, requirement);
    expectOutput(op, at('v'), slot.v, requirement);
    expectWithin(op, at('lrScale'), slot.lrScale, Number.MAX_VALUE);
    expectWithin(op, at('weightDecay'), slot.weightDecay, Number.MAX_VALUE);
  });
  expectWithin(op, 'beta1', args.beta1, 1);
  expectWithin(op, 'beta2', args.beta2, 1);
  expectWithin(op, 'eps', args.eps, Number.MAX_VALUE);
  expectInput(op, 'schedule', args.schedule, { shape: [3], letters: '(lr, c1, c2)' });
  if (args.gradScale !== undefined) expectInput(op, 'gradScale', args.gradScale, { shape: [1] });
}

/** New parameter and moments of each slot; complex parameters count as pairs of reals. */
export function adamwRef(args: AdamWArgs): AdamWResult[] {
  checkAdamW('adamw', args);
  const [lr, c1, c2] = loadFloat64('adamw', 'schedule', args.schedule) as unknown as [number, number, number];
  const gradScale = args.gradScale === undefined ? 1 : loadFloat64('adamw', 'gradScale', args.gradScale)[0];
  return args.slots.map((slot) => updateSlot(slot, args, { lr, c1, c2, gradScale: gradScale as number }));
}

function updateSlot(
  slot: AdamWSlot,
  { beta1, beta2, eps }: AdamWArgs,
  { lr, c1, c2, gradScale }: { lr: number; c1: number; c2: number; gradScale: number },
): AdamWResult {
  const param = loadFloat64('adamw', 'param', slot.param);
  const grad = loadFloat64('adamw', 'grad', slot.grad);
  const m = loadFloat64('adamw', 'm', slot.m);
  const v = loadFloat64('adamw', 'v', slot.v);
  const rate = lr * slot.lrScale;
  const decay = 1 - rate * slot.weightDecay;
  for (let i = 0; i < param.length; i++) {
    const g = gradScale * (grad[i] as number);
    const mNew = beta1 * (m[i] as number) + (1 - beta1) * g;
    const vNew = beta2 * (v[i] as number) + (1 - beta2) * g * g;
    m[i] = mNew;
    v[i] = vNew;
    param[i] = (param[i] as number) * decay - (rate * (mNew / c1)) / (Math.sqrt(vNew / c2) + eps);
  }
  const { shape } = slot.param;
  return {
    param: float64Tensor(param, shape),
    m: float64Tensor(m, shape),
    v: float64Tensor(v, shape),
  };
}

function expectWithin(op: string, argument: string, value: number, largest: number): void {
  if (value >= 0 && value <= largest) return;
  const wanted =
    largest === Number.MAX_VALUE ? 'a finite number of 0 or more' : `a number in [0, ${largest}]`;
  throw new ArgumentError({ op, argument, wanted, got: String(value) });
}
