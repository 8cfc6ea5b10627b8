import { describe, expect, test } from 'vitest';
import { dot, finiteDifferenceGradient, maxRelativeError, randomSource } from '../../testing/index.js';
import { rmsNormBackwardRef, rmsNormRef } from './rms-norm.js';

const cases = [
  { name: 'plain', gated: false },
  { name: 'groups', gated: false, groupSize: 2 },
  { name: 'gate before', gated: true },
  { name: 'gate after', gated: true, gateAfterNorm: true },
  { name: 'gate after, groups', gated: true, gateAfterNorm: true, groupSize: 3 },
];

describe.each(cases)('rmsNorm gradient, $name', ({ gated, gateAfterNorm, groupSize }) => {
  const random = randomSource(21);
  const inputs = {
    x: random.normal([2, 3, 6]),
    weight: random.normal([6]),
    ...(gated && { gate: random.normal([2, 3, 6]) }),
    ...(gateAfterNorm !== undefined && { gateAfterNorm }),
    ...(groupSize !== undefined && { groupSize }),
    eps: 0.1,
  };
  const upstream = random.normal([2, 3, 6]);
  const grads = rmsNormBackwardRef({ ...inputs, gradOut: upstream });
  const loss = () => dot(rmsNormRef(inputs).data, upstream.data);

  test.each([
    ['x', inputs.x, grads.gradX],
    ['weight', inputs.weight, grads.gradWeight],
    ...(gated ? [['gate', inputs.gate!, grads.gradGate!] as const] : []),
  ] as const)('%s', (_, input, gradient) => {
    const numeric = finiteDifferenceGradient(loss, input.data);
    expect(maxRelativeError(gradient, numeric)).toBeLessThan(1e-8);
  });
});
