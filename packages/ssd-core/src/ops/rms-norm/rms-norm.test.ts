import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import { maxRelativeError, nnCase, nnCases, randomSource } from '../../testing/index.js';
import { rmsNormBackwardRef, rmsNormRef } from './rms-norm.js';

describe('rmsNorm', () => {
  test('golden rms_norm', () => {
    const { inputs, outputs } = nnCase('rms_norm');
    const args = { x: inputs.x!, weight: inputs.weight!, eps: 1e-5 };
    const grads = rmsNormBackwardRef({ ...args, gradOut: inputs.grad_y! });
    expect(maxRelativeError(rmsNormRef(args), outputs.y!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grads.gradX, outputs.grad_x!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grads.gradWeight, outputs.grad_weight!)).toBeLessThan(1e-12);
    expect(grads.gradGate).toBeUndefined();
  });

  test.each(nnCases('gated-rms'))('golden $name', ({ params, inputs, outputs }) => {
    const args = {
      x: inputs.x!,
      weight: inputs.weight!,
      gate: inputs.z!,
      eps: params.eps as number,
      gateAfterNorm: params.norm_before_gate as boolean,
      ...(params.group_size !== null && { groupSize: params.group_size as number }),
    };
    const grads = rmsNormBackwardRef({ ...args, gradOut: inputs.grad_y! });
    expect(maxRelativeError(rmsNormRef(args), outputs.y!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grads.gradX, outputs.grad_x!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grads.gradWeight, outputs.grad_weight!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grads.gradGate!, outputs.grad_z!)).toBeLessThan(1e-12);
  });

  test('each group has mean square 1 when eps is 0', () => {
    const x = randomSource(1).normal([3, 8], 5);
    const weight = { data: new Float64Array(8).fill(1), shape: [8] };
    const { data } = rmsNormRef({ x, weight, eps: 0, groupSize: 4 });
    for (let start = 0; start < 24; start += 4) {
      const meanSquare = data.slice(start, start + 4).reduce((sum, v) => sum + v * v, 0) / 4;
      expect(meanSquare).toBeCloseTo(1, 12);
    }
  });

  test('no rows, no channels: nothing to do', () => {
    const empty = (shape: number[]) => ({ data: new Float64Array(0), shape });
    expect(rmsNormRef({ x: empty([0, 4]), weight: randomSource(1).normal([4]), eps: 1e-5 }).shape).toEqual([
      0, 4,
    ]);
    expect(rmsNormRef({ x: empty([3, 0]), weight: empty([0]), eps: 1e-5 }).shape).toEqual([3, 0]);
  });

  test('names what does not fit', () => {
    const random = randomSource(2);
    const x = random.normal([2, 6]);
    const weight = random.normal([6]);
    expect(() => rmsNormRef({ x, weight: random.normal([5]), eps: 1e-5 })).toThrow(
      'rmsNorm: weight: expected (D) = (6), got (5)',
    );
    expect(() => rmsNormRef({ x, weight, eps: 1e-5, groupSize: 4 })).toThrow(ShapeError);
    expect(() => rmsNormRef({ x, weight, eps: -1 })).toThrow(ArgumentError);
    expect(() => rmsNormRef({ x, weight, eps: 1e-5, gateAfterNorm: true })).toThrow(/gateAfterNorm/);
    expect(() => rmsNormRef({ x, weight, eps: 1e-5, gate: random.normal([2, 5]) })).toThrow(/rmsNorm: gate/);
  });
});
