import { ArgumentError } from '@statespace/ssd-core';
import { randomScanInputs, randomUpdateInputs } from '@statespace/ssd-core/testing';
import { describe, expect, test } from 'vitest';
import * as api from '../src/index.js';
import { inFloat32, narrow } from './support.js';

const inputs = inFloat32(randomScanInputs({ seqLen: 5 }));

type Call = (options: object) => unknown;

const calls = Object.entries(api as unknown as Record<string, Call>).filter(([name]) =>
  /^(selectiveScan|causalConv1d|ssdChunkScan|diagonalSsd|selectiveState)/.test(name),
);

describe('the options object', () => {
  test('there are ten ops, each in two forms', () => {
    expect(calls).toHaveLength(20);
  });

  test.each(calls)('%s refuses an unknown key before it looks at anything else', async (_, call) => {
    const attempt = async () => call({ nonsense: undefined });
    await expect(attempt()).rejects.toThrow(ArgumentError);
    await expect(attempt()).rejects.toThrow(/nonsense: expected one of .*, got an unknown one/);
    await expect((async () => call(null as never))()).rejects.toThrow(
      /options: expected an object, got null/,
    );
  });

  test('the nearest known key is named', () => {
    expect(() => api.selectiveScan({ ...inputs, deltaBais: 1 } as never)).toThrow(
      /deltaBais.*perhaps deltaBias/,
    );
    expect(() => api.selectiveScan({ ...inputs, returnlaststate: true } as never)).toThrow(/returnLastState/);
  });

  test('a signal is for asynchronous calls', () => {
    const { signal } = new AbortController();
    expect(() => api.selectiveScan({ ...inputs, signal } as never)).toThrow(/signal: .*unknown/);
  });

  test('an undefined option is an absent one', () => {
    const { out } = api.selectiveScan({ ...inputs, lengths: undefined, out: undefined } as never);
    expect(out.data).toEqual(api.selectiveScan(inputs).out.data);
  });

  test('each option and each field of a tensor is read once, then never again', () => {
    const reads = new Map<string, number>();
    const counting = <T extends object>(target: T, path: string): T =>
      new Proxy(target, {
        get(object, key, receiver) {
          const name = `${path}.${String(key)}`;
          reads.set(name, (reads.get(name) ?? 0) + 1);
          return Reflect.get(object, key, receiver);
        },
      });
    const u = counting({ data: inputs.u.data, shape: inputs.u.shape }, 'u');
    const options = counting({ ...inputs, u }, 'options');
    expect(api.selectiveScan(options).out.data).toEqual(api.selectiveScan(inputs).out.data);
    expect([...reads].filter(([, count]) => count > 1)).toEqual([]);
    expect(reads.get('u.data')).toBe(1);
  });

  test('a getter that changes its answer cannot pass a check with one and be used with another', () => {
    const small = narrow({ data: new Float64Array(2), shape: [2] });
    let asked = 0;
    const u = {
      shape: inputs.u.shape,
      get data() {
        return asked++ === 0 ? inputs.u.data : small.data;
      },
    };
    expect(api.selectiveScan({ ...inputs, u }).out.data).toEqual(api.selectiveScan(inputs).out.data);
  });

  test("a getter's own error comes through, and nothing is written", () => {
    const update = inFloat32(randomUpdateInputs({ batch: 2 }));
    const before = Float32Array.from(update.state.data);
    const hostile = Object.defineProperty({ ...update }, 'dtBias', {
      enumerable: true,
      get() {
        throw new RangeError('mine');
      },
    });
    expect(() => api.selectiveStateUpdate(hostile)).toThrow(new RangeError('mine'));
    expect(update.state.data).toEqual(before);
  });
});
