import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  maxRelativeError,
  permuted,
  randomDiagonalSsdInputs,
  randomScanInputs,
  randomSource,
} from '@statespace/ssd-core/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  BackendUnavailableError,
  createDeviceBuffer,
  diagonalSsd,
  getBackendInfo,
  getKernels,
  getNumThreads,
  selectiveScan,
  selectiveScanBackward,
  setNumThreads,
} from '../src/index.js';
import { loadAddon } from '../src/loader.js';
import { platformPackage } from '../src/platform.js';
import { cpu, describeNative, inFloat32, narrow } from './support.js';

const original = process.env.STATESPACE_BACKEND;

afterEach(() => {
  if (original === undefined) delete process.env.STATESPACE_BACKEND;
  else process.env.STATESPACE_BACKEND = original;
});

describe('choice of the backend', () => {
  test('the reference is always there', () => {
    expect(getKernels('reference').name).toBe('reference');
  });

  test('cuda by name throws and says what was tried', () => {
    for (const name of ['cuda', 'cuda:0', 'cuda:3'] as const) {
      expect(() => getKernels(name)).toThrow(BackendUnavailableError);
      expect(() => getKernels(name)).toThrow(/native-scan-cuda-linux-x64 \(not installed\)/);
    }
    process.env.STATESPACE_BACKEND = 'cuda';
    expect(() => getKernels()).toThrow(BackendUnavailableError);
  });

  test('an unknown name throws', () => {
    expect(() => getKernels('gpu' as never)).toThrow(/expected 'auto', 'reference', 'cpu'.*got 'gpu'/);
    expect(() => getKernels('cpu:0' as never)).toThrow(/got 'cpu:0'/);
    process.env.STATESPACE_BACKEND = 'fast';
    expect(() => getKernels()).toThrow(/STATESPACE_BACKEND.*got fast/);
  });

  test('what is no name, no format and no typed array is named with its argument', () => {
    for (const choice of [null, 7, {}, Object.create(null), Symbol('cpu')]) {
      expect(() => getKernels(choice as never)).toThrow(
        /getKernels: backend: expected 'auto'.*got (null|number|object|symbol)$/,
      );
    }
    const { u, ...inputs } = inFloat32(randomScanInputs({ seqLen: 5 }));
    const withU = (data: unknown) => () => selectiveScan({ ...inputs, u: { ...u, data } as never });
    expect(withU(new Uint16Array(u.data.length))).toThrow(
      /selectiveScan: u: expected the dtype 'f16' or 'bf16' with a Uint16Array, got none/,
    );
    expect(withU(new DataView(new ArrayBuffer(99)))).toThrow(/selectiveScan: u: .*got a DataView/);
    expect(withU(new BigInt64Array(u.data.length))).toThrow(/selectiveScan: u: .*got BigInt64Array/);
    expect(() => createDeviceBuffer('f99' as never, 1)).toThrow(/createDeviceBuffer: dtype: .*got 'f99'/);
  });

  test('STATESPACE_BACKEND stands in for auto, not for a name', () => {
    process.env.STATESPACE_BACKEND = 'reference';
    expect(getKernels().name).toBe('reference');
    expect(getKernels('auto').name).toBe('reference');
    const info = getBackendInfo();
    expect(info.backend).toBe('reference');
    expect(info.reasons.cpu).toBe('STATESPACE_BACKEND is reference');
  });

  test('the package is named after the platform', () => {
    expect(platformPackage()).toMatch(
      new RegExp(`^@statespace/native-scan-${process.platform}-${process.arch}`),
    );
  });
});

describeNative('the native backend', () => {
  test('is what auto takes, and tells about itself', () => {
    delete process.env.STATESPACE_BACKEND;
    const info = getBackendInfo();
    expect(info.backend).toBe('cpu');
    expect(getKernels()).toBe(cpu());
    expect(info.isas).toContain(info.isa);
    expect(info.threads).toBe(getNumThreads());
    expect(info.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(info.attempts.at(-1)?.error).toBeUndefined();
    expect(info.reasons.cuda).toBe('not installed');
    expect(info.reasons.reference).toBeDefined();
    expect(info.reasons.cpu).toBeUndefined();
  });

  test('float64 and complex numbers are native without being asked', () => {
    delete process.env.STATESPACE_BACKEND;
    const inputs = randomDiagonalSsdInputs({ seqLen: 5 });
    const { out } = diagonalSsd(inputs);
    expect(out.data).toBeInstanceOf(Float64Array);
    expect(out.data).toEqual(diagonalSsd({ ...inputs, backend: 'cpu' }).out.data);
    expect(out.data).not.toEqual(diagonalSsd({ ...inputs, backend: 'reference' }).out.data);
    const complex = randomScanInputs({ seqLen: 5, complex: true });
    expect(selectiveScan({ ...complex, returnLastState: true }).lastState?.dtype).toBe('c128');
  });

  test('a state larger than the native limit goes to the reference', () => {
    delete process.env.STATESPACE_BACKEND;
    const inputs = inFloat32(randomScanInputs({ batch: 1, seqLen: 2, dInner: 2, dState: 300 }));
    expect(selectiveScan(inputs).out.data.every(Number.isFinite)).toBe(true);
    expect(() => selectiveScan({ ...inputs, backend: 'cpu' })).toThrow(/dState of at most 256.*got 300/);
  });

  test('the same bits for every number of threads and every call', () => {
    const before = getNumThreads();
    const inputs = inFloat32(randomScanInputs({ batch: 3, seqLen: 200, dInner: 100, dState: 16 }));
    const gradOut = narrow(randomSource(3).normal([3, 200, 100]));
    try {
      const results = [1, 2, 3, 5, 1].map((threads) => {
        setNumThreads(threads);
        expect(getNumThreads()).toBe(threads);
        return {
          ...selectiveScan({ ...inputs, returnLastState: true }),
          ...selectiveScanBackward({ ...inputs, gradOut }),
        };
      });
      for (const result of results) expect(result).toEqual(results[0]);
    } finally {
      setNumThreads(before);
    }
  });

  test('every instruction set of this machine agrees', () => {
    const addon = loadAddon().addon;
    const inputs = inFloat32(randomScanInputs({ seqLen: 65, dInner: 20, dState: 16 }));
    try {
      const results = getBackendInfo().isas.map((isa) => {
        expect(addon?.forceIsa(isa)).toBe(0);
        expect(getBackendInfo().isa).toBe(isa);
        return selectiveScan(inputs).out;
      });
      for (const result of results) expect(maxRelativeError(result, results[0]!)).toBeLessThan(3e-6);
    } finally {
      addon?.forceIsa(null);
    }
  });

  test('thread counts that are none', () => {
    for (const count of [0, -1, 1.5, Number.NaN, 1e9, '2' as never]) {
      expect(() => setNumThreads(count)).toThrow(/setNumThreads: count/);
    }
  });
});

describeNative('layout bdl', () => {
  const transposed = (tensor: { data: Float32Array | Float64Array; shape: readonly number[] }) =>
    narrow(permuted({ data: Float64Array.from(tensor.data), shape: tensor.shape }, [0, 2, 1]));

  test('takes and gives (B, D, L), gradients too', () => {
    const inputs = inFloat32(randomScanInputs({ seqLen: 21, dInner: 6, dState: 5 }));
    const gradOut = narrow(randomSource(3).normal([2, 21, 6]));
    const swap = (tensor: unknown) => transposed(tensor as { data: Float32Array; shape: number[] });
    const swapped = {
      ...inputs,
      u: swap(inputs.u),
      delta: swap(inputs.delta),
      z: swap(inputs.z),
      B: swap(inputs.B),
      C: swap(inputs.C),
    };
    const wanted = selectiveScan({ ...inputs, returnLastState: true });
    const got = selectiveScan({ ...swapped, layout: 'bdl', returnLastState: true });
    expect(got.out.shape).toEqual([2, 6, 21]);
    expect(got.out.data).toEqual(swap(wanted.out).data);
    expect(got.lastState).toEqual(wanted.lastState);
    const grads = selectiveScanBackward({ ...inputs, gradOut });
    const gradsSwapped = selectiveScanBackward({ ...swapped, gradOut: swap(gradOut), layout: 'bdl' });
    for (const name of ['gradU', 'gradDelta', 'gradZ', 'gradB', 'gradC'] as const) {
      expect(gradsSwapped[name]?.data, name).toEqual(swap(grads[name]).data);
    }
    for (const name of ['gradA', 'gradD', 'gradDeltaBias', 'gradInitialState'] as const) {
      expect(gradsSwapped[name], name).toEqual(grads[name]);
    }
  });

  test('writes into an output of that layout', () => {
    const inputs = inFloat32(randomScanInputs({ seqLen: 7, dInner: 6, bare: true }));
    const swap = (tensor: unknown) => transposed(tensor as { data: Float32Array; shape: number[] });
    const swapped = {
      ...inputs,
      u: swap(inputs.u),
      delta: swap(inputs.delta),
      B: swap(inputs.B),
      C: swap(inputs.C),
    };
    const out = { data: new Float32Array(2 * 6 * 7), shape: [2, 6, 7] };
    const result = selectiveScan({ ...swapped, layout: 'bdl', out });
    expect(result.out.data).toBe(out.data);
    expect(out.data).toEqual(swap(selectiveScan(inputs).out).data);
  });

  test.each(['bld', 'bdl'] as const)("gradients go into the caller's arrays, in %s", (layout) => {
    const inputs = inFloat32(randomScanInputs({ seqLen: 7, dInner: 6, bare: true }));
    const swap = (tensor: unknown) => transposed(tensor as { data: Float32Array; shape: number[] });
    const own = (tensor: unknown) => (layout === 'bdl' ? swap(tensor) : (tensor as { shape: number[] }));
    const gradOut = narrow(randomSource(3).normal([2, 7, 6]));
    const given = { u: inputs.u, delta: inputs.delta, B: inputs.B, C: inputs.C, gradOut };
    const all = Object.fromEntries(Object.entries(given).map(([name, tensor]) => [name, own(tensor)]));
    const gradU = { data: new Float32Array(2 * 7 * 6), shape: own(inputs.u).shape };
    const gradA = { data: new Float32Array(inputs.A.data.length), shape: inputs.A.shape };
    const got = selectiveScanBackward({ ...inputs, ...all, layout, gradU, gradA } as never);
    const wanted = selectiveScanBackward({ ...inputs, gradOut });
    expect(got.gradU?.data).toBe(gradU.data);
    expect(gradU.data).toEqual((own(wanted.gradU) as unknown as { data: Float32Array }).data);
    expect(gradA.data).toEqual(wanted.gradA?.data);
    expect(got.gradDelta?.data).toEqual((own(wanted.gradDelta) as unknown as { data: Float32Array }).data);
  });

  test('a buffer for a gradient that is not computed, or of another shape', () => {
    const inputs = inFloat32(randomScanInputs({ seqLen: 7, dInner: 6, bare: true }));
    const gradOut = narrow(randomSource(3).normal([2, 7, 6]));
    const gradZ = { data: new Float32Array(84), shape: [2, 7, 6] };
    expect(() => selectiveScanBackward({ ...inputs, gradOut, gradZ })).toThrow(/gradZ.*not computed/);
    expect(() => selectiveScanBackward({ ...inputs, gradOut, gradients: ['gradA'], gradU: gradZ })).toThrow(
      /gradU.*not computed/,
    );
    const short = { data: new Float32Array(42), shape: [1, 7, 6] };
    expect(() => selectiveScanBackward({ ...inputs, gradOut, gradU: short })).toThrow(/gradU/);
  });

  test('complex pairs stay behind the length, on the reference', () => {
    const inputs = randomScanInputs({ seqLen: 5, complex: true });
    const lengthLast = (tensor: { data: Float64Array; shape: readonly number[] }) => ({
      ...permuted(tensor, [0, 2, 1, 3]),
      dtype: 'c128' as const,
    });
    const swapped = {
      ...inputs,
      u: permuted(inputs.u, [0, 2, 1]),
      delta: permuted(inputs.delta, [0, 2, 1]),
      z: permuted(inputs.z as never, [0, 2, 1]),
      B: lengthLast(inputs.B),
      C: lengthLast(inputs.C),
    };
    const wanted = selectiveScan(inputs);
    const got = selectiveScan({ ...swapped, layout: 'bdl' });
    expect(got.out.data).toEqual(permuted(wanted.out as never, [0, 2, 1]).data);
  });
});

test.skipIf(loadAddon().addon === undefined).each([
  ['STATESPACE_ISA', 'mmx', /STATESPACE_ISA: expected one of .*got mmx/],
  ['STATESPACE_THREADS', 'many', /STATESPACE_THREADS: expected an integer.*got many/],
  ['STATESPACE_THREADS', '0', /STATESPACE_THREADS/],
])('%s=%s is refused, not ignored', async (name, value, message) => {
  vi.resetModules();
  vi.stubEnv(name, value);
  try {
    const fresh = await import('../src/index.js');
    expect(() => fresh.getKernels('cpu')).toThrow(message);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('STATESPACE_BACKEND=reference loads no binary, until a call asks for it by name', async () => {
  vi.resetModules();
  vi.stubEnv('STATESPACE_BACKEND', 'reference');
  try {
    const fresh = await import('../src/index.js');
    const { loadUnlessUnwanted } = await import('../src/loader.js');
    expect(fresh.getBackendInfo()).toMatchObject({ attempts: [], isa: undefined, isas: [], threads: 1 });
    expect(fresh.createDeviceBuffer('f32', 4).device).toBe('reference');
    expect(fresh.getNumThreads()).toBe(1);
    expect(fresh.selectiveScan(randomScanInputs({ seqLen: 5 })).out.data).toBeInstanceOf(Float64Array);
    expect(loadUnlessUnwanted().addon).toBeUndefined();
    if (loadAddon().addon === undefined) return;
    expect(fresh.getKernels('cpu').name).toBe('cpu');
    expect(loadUnlessUnwanted().addon).toBeDefined();
  } finally {
    vi.unstubAllEnvs();
  }
});

describe('environment variables', () => {
  const run = (env: Record<string, string>) => {
    const binary = loadAddon().attempts.at(-1)?.source as string;
    const script = `const a = require(${JSON.stringify(binary)}); process.stdout.write(JSON.stringify([a.isa(), a.getThreads()]))`;
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    return JSON.parse(
      execFileSync(process.execPath, ['-e', script], { cwd, env: { ...process.env, ...env } }).toString(),
    );
  };

  test.skipIf(loadAddon().addon === undefined)('STATESPACE_ISA and STATESPACE_THREADS', () => {
    const lowest = getBackendInfo().isas[0] as string;
    expect(run({ STATESPACE_ISA: lowest, STATESPACE_THREADS: '3' })).toEqual([lowest, 3]);
    const [, threads] = run({ STATESPACE_THREADS: '' });
    expect(threads).toBeGreaterThanOrEqual(1);
  });
});
