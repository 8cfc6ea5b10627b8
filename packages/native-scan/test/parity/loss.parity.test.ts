import { randomSource, strided, toIndexTensor } from '@statespace/ssd-core/testing';
import { expect, test } from 'vitest';
import { cpu, describeNative, insideWider, nanOutput, narrow } from '../support.js';
import { expectParity } from './dense.js';

const tolerance = 2e-6;
const shapes = [
  [1, 1],
  [3, 7],
  [5, 16],
  [33, 100],
  [2, 2500],
  [0, 5],
] as const;

describeNative('softmax', () => {
  test.each([false, true])('log: %s', (log) => {
    for (const shape of [...shapes, [2, 3, 5], [9]]) {
      const source = randomSource(21);
      const x = narrow(source.normal(shape, 4));
      expectParity(
        'softmax',
        () => {
          const out = nanOutput(shape);
          return { args: { x, log, out }, outputs: { out } };
        },
        tolerance,
      );
      const out = nanOutput(shape);
      cpu().softmax({ x, log, out });
      const gradOut = narrow(source.normal(shape));
      expectParity(
        'softmaxBackward',
        () => {
          const gradX = nanOutput(shape);
          return { args: { out, log, gradOut: strided(gradOut), gradX }, outputs: { gradX } };
        },
        tolerance,
      );
    }
  });

  test('large logits do not overflow', () => {
    const out = nanOutput([1, 3]);
    cpu().softmax({ x: { data: Float32Array.of(1e30, 1e30, -1e30), shape: [1, 3] }, out });
    expect([...out.data]).toEqual([0.5, 0.5, 0]);
  });
});

function targetsFor(rows: number, classes: number, ignored = true) {
  const source = randomSource(rows + classes);
  const targets = Array.from({ length: rows }, () => source.integer(classes));
  if (ignored && rows > 2) targets[1] = -100;
  return toIndexTensor(targets);
}

describeNative('crossEntropy', () => {
  test.each([0, 0.1, 1])('label smoothing %d', (labelSmoothing) => {
    for (const [rows, classes] of shapes) {
      if (classes === 1) continue;
      const source = randomSource(22);
      const inputs = {
        logits: narrow(source.normal([rows, classes], 3)),
        targets: targetsFor(rows, classes),
        labelSmoothing,
      };
      expectParity(
        'crossEntropy',
        () => {
          const losses = nanOutput([rows]);
          return { args: { ...inputs, losses }, outputs: { losses } };
        },
        tolerance,
      );
      const gradLosses = narrow(source.normal([rows]));
      expectParity(
        'crossEntropyBackward',
        () => {
          const gradLogits = nanOutput([rows, classes]);
          return { args: { ...inputs, gradLosses, gradLogits }, outputs: { gradLogits } };
        },
        tolerance,
      );
    }
  });

  test('one class: nothing to learn', () => {
    const inputs = {
      logits: narrow(randomSource(1).normal([3, 1])),
      targets: toIndexTensor([0, 0, 0]),
      labelSmoothing: 0.1,
    };
    const losses = nanOutput([3]);
    const gradLogits = nanOutput([3, 1]);
    cpu().crossEntropy({ ...inputs, losses });
    cpu().crossEntropyBackward({
      ...inputs,
      gradLosses: { data: Float32Array.of(1, 1, 1), shape: [3] },
      gradLogits,
    });
    for (const value of [...losses.data, ...gradLogits.data]) expect(Math.abs(value)).toBeLessThan(1e-7);
  });

  test('a target out of range is named, and nothing is written', () => {
    const losses = nanOutput([3]);
    const logits = narrow(randomSource(1).normal([3, 4]));
    const call = () => cpu().crossEntropy({ logits, targets: toIndexTensor([0, 1, 4]), losses });
    expect(call).toThrow(/crossEntropy: targets\[2\].*got 4/);
    expect(losses.data.every(Number.isNaN)).toBe(true);
  });
});

describeNative('linearCrossEntropy', () => {
  /** Sums over up to 300 rows and 2500 classes. */
  const headTolerance = 5e-6;

  test.each([
    [1, 1, 1],
    [5, 8, 3],
    [33, 64, 100],
    [130, 20, 77],
    [300, 33, 1000],
    [7, 16, 2500],
  ])('%i rows, %i features, %i classes', (rows, features, classes) => {
    const source = randomSource(23);
    const x = narrow(source.normal([rows, features]));
    const bias = narrow(source.normal([classes]));
    const inputs = {
      weight: narrow(source.normal([classes, features], 0.3)),
      targets: targetsFor(rows, classes),
    };
    for (const [view, withBias] of [
      [x, true],
      [insideWider(x), false],
    ] as const) {
      expectParity(
        'linearCrossEntropy',
        () => {
          const outputs = {
            loss: nanOutput([1]),
            correct: nanOutput([1]),
            gradX: nanOutput([rows, features]),
            gradWeight: nanOutput([classes, features]),
            ...(withBias && { gradBias: nanOutput([classes]) }),
          };
          return { args: { x: view, ...inputs, ...(withBias && { bias }), ...outputs }, outputs };
        },
        headTolerance,
      );
    }
    expectParity(
      'linearCrossEntropy',
      () => {
        const loss = nanOutput([1]);
        return { args: { x, ...inputs, loss }, outputs: { loss } };
      },
      headTolerance,
    );
  });

  test('no row counts', () => {
    expectParity(
      'linearCrossEntropy',
      () => {
        const x = narrow(randomSource(1).normal([3, 4]));
        const outputs = { loss: nanOutput([1]), correct: nanOutput([1]), gradX: nanOutput([3, 4]) };
        const targets = toIndexTensor([-100, -100, -100]);
        return { args: { x, weight: narrow(randomSource(2).normal([5, 4])), targets, ...outputs }, outputs };
      },
      0,
    );
  });
});

describeNative('embedding', () => {
  test('lookup and scatter-add, repeated ids in order', () => {
    const source = randomSource(24);
    const weight = narrow(source.normal([50, 33]));
    const ids = toIndexTensor(Array.from({ length: 200 }, () => source.integer(50)));
    expectParity(
      'embedding',
      () => {
        const out = nanOutput([200, 33]);
        return { args: { weight, ids, out }, outputs: { out } };
      },
      0,
    );
    const gradOut = narrow(source.normal([200, 33]));
    expectParity(
      'embeddingBackward',
      () => {
        const gradWeight = narrow(randomSource(25).normal([50, 33]));
        return { args: { ids, gradOut: insideWider(gradOut), gradWeight }, outputs: { gradWeight } };
      },
      tolerance,
    );
  });

  test('an id out of range is named', () => {
    const weight = narrow(randomSource(1).normal([4, 2]));
    const out = nanOutput([2, 2]);
    expect(() => cpu().embedding({ weight, ids: toIndexTensor([3, -1]), out })).toThrow(
      /embedding: ids\[1\].*got -1/,
    );
    expect(out.data.every(Number.isNaN)).toBe(true);
  });
});
