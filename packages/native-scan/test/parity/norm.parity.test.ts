import { randomSource, strided } from '@statespace/ssd-core/testing';
import { expect, test } from 'vitest';
import { cpu, describeNative, insideWider, nanOutput, narrow } from '../support.js';
import { expectParity } from './dense.js';

const tolerance = 2e-6;
const shapes = [[1, 1], [3, 5], [2, 3, 16], [7, 33], [130, 64], [2, 1000], [0, 8], [9]] as const;
const views = [
  ['contiguous', (x: ReturnType<typeof narrow>) => x],
  ['wider', insideWider],
  ['strided', strided],
] as const;

/** A norm of one entry is its sign: the gradient is the difference of two equal numbers unless eps is large. */
const epsFor = (groupSize: number) => (groupSize === 1 ? 1 : 1e-5);

describeNative('rmsNorm', () => {
  const modes = ['plain', 'gate', 'gateAfterNorm'] as const;
  test.each(modes.flatMap((mode) => views.map(([name, view]) => [mode, name, view] as const)))(
    '%s, %s input',
    (mode, _, view) => {
      for (const shape of shapes) {
        const source = randomSource(11);
        const dim = shape.at(-1) as number;
        for (const groupSize of dim % 4 === 0 ? [dim, dim / 4] : [dim]) {
          const inputs = {
            x: view(narrow(source.normal(shape))),
            weight: narrow(source.normal([dim])),
            eps: epsFor(groupSize),
            groupSize,
            ...(mode !== 'plain' && { gate: view(narrow(source.normal(shape))) }),
            ...(mode === 'gateAfterNorm' && { gateAfterNorm: true }),
          };
          expectParity(
            'rmsNorm',
            () => {
              const out = nanOutput(shape);
              return { args: { ...inputs, out }, outputs: { out } };
            },
            tolerance,
          );
          const gradOut = narrow(source.normal(shape));
          expectParity(
            'rmsNormBackward',
            () => {
              const gradX = nanOutput(shape);
              const gradWeight = nanOutput([dim]);
              const gate = mode === 'plain' ? {} : { gradGate: nanOutput(shape) };
              return {
                args: { ...inputs, gradOut, gradX, gradWeight, ...gate },
                outputs: { gradX, gradWeight, ...gate },
              };
            },
            tolerance,
          );
        }
      }
    },
  );
});

describeNative('layerNorm', () => {
  test.each([true, false])('with weight and bias: %s', (affine) => {
    for (const shape of shapes) {
      const source = randomSource(12);
      const dim = shape.at(-1) as number;
      const parameters = affine
        ? { weight: narrow(source.normal([dim])), bias: narrow(source.normal([dim])) }
        : {};
      for (const [, view] of views) {
        const inputs = { x: view(narrow(source.normal(shape))), eps: epsFor(dim), ...parameters };
        expectParity(
          'layerNorm',
          () => {
            const out = nanOutput(shape);
            return { args: { ...inputs, out }, outputs: { out } };
          },
          tolerance,
        );
        const gradOut = narrow(source.normal(shape));
        expectParity(
          'layerNormBackward',
          () => {
            const gradX = nanOutput(shape);
            const grads = affine ? { gradWeight: nanOutput([dim]), gradBias: nanOutput([dim]) } : {};
            return { args: { ...inputs, gradOut, gradX, ...grads }, outputs: { gradX, ...grads } };
          },
          tolerance,
        );
      }
    }
  });

  test('a gradient may be left out', () => {
    const x = narrow(randomSource(1).normal([4, 6]));
    const gradX = nanOutput([4, 6]);
    cpu().layerNormBackward({ x, eps: 1e-5, gradOut: x, gradX });
    expect(gradX.data.every(Number.isFinite)).toBe(true);
  });
});
