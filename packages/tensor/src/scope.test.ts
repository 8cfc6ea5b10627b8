import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { ones, tensor, zeros } from './create.js';
import { parameter } from './parameter.js';
import { keep, scope } from './scope.js';
import { memoryStats } from './storage.js';
import type { Tensor } from './tensor.js';

const device = 'reference';
const make = (value = 1) => tensor([value, value], { device });

describe('scope', () => {
  test('frees what it made and keeps what it returns', () => {
    const before = memoryStats().buffers;
    const kept: Tensor[] = [];
    const result = scope(() => {
      const a = make();
      const b = a.add(1);
      kept.push(a, b);
      return b.mul(2);
    });
    expect(kept.map((t) => t.disposed)).toEqual([true, true]);
    expect([...result.toArray()]).toEqual([4, 4]);
    expect(memoryStats().buffers).toBe(before + 1);
    result.dispose();
    expect(memoryStats().buffers).toBe(before);
  });

  test.each([
    ['an array', (t: Tensor) => [t]],
    ['nested objects', (t: Tensor) => ({ a: { b: [t, 1, null] } })],
    ['a map', (t: Tensor) => new Map([['x', t]])],
    ['a set', (t: Tensor) => new Set([t])],
    [
      'an instance of a class',
      (t: Tensor) =>
        new (class {
          state = t;
        })(),
    ],
  ])('keeps tensors inside %s', (_, wrap) => {
    let inner: Tensor | undefined;
    scope(() => {
      inner = make();
      return wrap(inner);
    });
    expect(inner?.disposed).toBe(false);
    inner?.dispose();
  });

  test('survives a large result without tensors', () => {
    expect(scope(() => ({ losses: Array.from({ length: 300_000 }, (_, i) => i) })).losses).toHaveLength(
      300_000,
    );
  });

  test('survives a result with cycles', () => {
    const result = scope(() => {
      const node: { self?: unknown; x: Tensor } = { x: make() };
      node.self = node;
      return node;
    });
    expect(result.x.disposed).toBe(false);
  });

  test('hands what leaves an inner scope to the outer one', () => {
    let inner: Tensor | undefined;
    scope(() => {
      inner = scope(() => make());
      expect(inner.disposed).toBe(false);
    });
    expect(inner?.disposed).toBe(true);
  });

  test('keeps the memory of a returned view', () => {
    const view = scope(() =>
      tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device },
      )
        .transpose(0, 1)
        .slice(0, 1, 2),
    );
    expect([...view.toArray()]).toEqual([2, 4]);
  });

  test('leaves tensors from outside alone', () => {
    const outside = make();
    scope(() => outside.add(1));
    expect(outside.disposed).toBe(false);
    expect(scope(() => outside)).toBe(outside);
  });

  test('keeps parameters, their gradients, and what keep() names', () => {
    const kept: Tensor[] = [];
    scope(() => {
      const weight = parameter(make());
      weight.square().sum().backward();
      kept.push(weight, weight.grad as Tensor, keep(make(3)));
    });
    expect(kept.map((x) => x.disposed)).toEqual([false, false, false]);
    expect([...(kept[1]?.toArray() ?? [])]).toEqual([2, 2]);
  });

  test('frees the gradient with the leaf it belongs to', () => {
    const before = memoryStats().buffers;
    scope(() => {
      const leaf = make();
      leaf.requiresGrad = true;
      leaf.square().sum().backward();
    });
    expect(memoryStats().buffers).toBe(before);
  });

  test('frees everything when it throws, and goes on with the outer scope', () => {
    const before = memoryStats().buffers;
    scope(() => {
      expect(() =>
        scope(() => {
          make().add(1);
          throw new Error('boom');
        }),
      ).toThrow('boom');
      make();
    });
    expect(memoryStats().buffers).toBe(before);
  });

  test('refuses asynchronous callbacks, before or after they ran', () => {
    const before = memoryStats().buffers;
    let ran = false;
    expect(() =>
      scope(async () => {
        ran = true;
      }),
    ).toThrow(/asynchronous/);
    expect(ran).toBe(false);
    expect(() => scope(() => Promise.resolve(make()))).toThrow(/asynchronous/);
    expect(memoryStats().buffers).toBe(before);
  });
});

describe('lifetime', () => {
  test('what is forgotten outside of scopes is freed once the event loop turns', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const before = memoryStats().buffers;
    // In a function of its own: nothing on the stack may still point at the tensors.
    (() => {
      for (let i = 0; i < 50; i++) make().add(1);
      // A graph that left its scope, and all it saved.
      const leaf = make();
      leaf.requiresGrad = true;
      scope(() => leaf.exp().square().tanh());
    })();
    expect(memoryStats().buffers).toBeGreaterThan(before + 100);
    for (let turn = 0; turn < 20 && memoryStats().buffers > before; turn++) {
      collect();
      await new Promise((done) => setImmediate(done));
    }
    expect(memoryStats().buffers).toBeLessThanOrEqual(before);
  });

  test('dispose is idempotent, and views share memory', () => {
    const before = memoryStats().buffers;
    const x = make();
    const view = x.slice(0, 0, 1);
    x.dispose();
    x.dispose();
    expect(memoryStats().buffers).toBe(before + 1);
    expect([...view.toArray()]).toEqual([1]);
    view[Symbol.dispose]();
    expect(memoryStats().buffers).toBe(before);
  });
  test('using disposes at the end of the block', () => {
    const before = memoryStats().buffers;
    {
      using x = make();
      expect(x.disposed).toBe(false);
    }
    expect(memoryStats().buffers).toBe(before);
  });
  test('a disposed tensor says so', () => {
    const x = make();
    x.dispose();
    for (const use of [
      () => x.add(1),
      () => x.toArray(),
      () => x.reshape([2]),
      () => x.slice(0, 0, 1),
      () => x.sum(),
    ]) {
      expect(use).toThrow(/disposed/);
    }
  });
  test('a training loop holds the same number of buffers after every step', () => {
    const weight = parameter(zeros([3, 2], { device }));
    const x = ones([4, 2], { device });
    const counts: number[] = [];
    for (let step = 0; step < 2000; step++) {
      scope(() => {
        const loss = x.matmul(weight.transpose(0, 1)).sub(1).square().mean();
        loss.backward();
        weight.copyFrom(weight.detach().sub((weight.grad as Tensor).mul(0.1)));
        weight.grad = undefined;
      });
      counts.push(memoryStats().buffers);
    }
    expect(new Set(counts).size).toBe(1);
  });
});
