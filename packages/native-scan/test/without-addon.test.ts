/** A machine without the addon: everything works on the reference, and asking for more says what was tried. */
import { randomScanInputs } from '@statespace/ssd-core/testing';
import { afterEach, expect, test, vi } from 'vitest';

vi.mock('../src/loader.js', () => {
  const nothing = () => ({
    addon: undefined,
    attempts: [
      { source: '/somewhere/statespace.node', error: 'no local build' },
      { source: '@statespace/native-scan-plan9-mips', error: 'not installed', hint: 'Install it' },
    ],
  });
  return { loadAddon: nothing, loadUnlessUnwanted: nothing };
});

const {
  createDeviceBuffer,
  getBackendInfo,
  getKernels,
  getNumThreads,
  nativeInterface,
  selectiveScan,
  selectiveScanAsync,
  setNumThreads,
} = await import('../src/index.js');
const { createCpuKernels } = await import('../src/dense/index.js');

afterEach(() => vi.unstubAllEnvs());

test('auto is the reference', async () => {
  expect(getKernels().name).toBe('reference');
  const info = getBackendInfo();
  expect(info).toMatchObject({ backend: 'reference', isa: undefined, isas: [], threads: 1 });
  expect(info.attempts).toHaveLength(2);
  expect(info.reasons.cpu).toBe('@statespace/native-scan-plan9-mips: not installed. Install it');
  const inputs = randomScanInputs({ seqLen: 5 });
  expect((await selectiveScanAsync(inputs)).out).toEqual(selectiveScan(inputs).out);
});

test('cpu by name throws, listing every attempt', () => {
  for (const ask of [
    () => getKernels('cpu'),
    () => createCpuKernels(),
    () => setNumThreads(2),
    () => nativeInterface(),
  ]) {
    expect(ask).toThrow(
      expect.objectContaining({
        code: 'ERR_BACKEND_UNAVAILABLE',
        message: expect.stringMatching(
          /somewhere.*no local build.*plan9-mips.*not installed\)\. Install it, or use the backend 'reference'/,
        ),
      }),
    );
  }
});

test('STATESPACE_BACKEND=cpu throws, and is what the message names', () => {
  vi.stubEnv('STATESPACE_BACKEND', 'cpu');
  const inputs = randomScanInputs({ seqLen: 5 });
  for (const ask of [() => getKernels(), () => getBackendInfo(), () => selectiveScan(inputs)]) {
    expect(ask).toThrow(/: STATESPACE_BACKEND: expected the backend 'cpu', got none; tried/);
  }
  expect(() => selectiveScan({ ...inputs, backend: 'cpu' })).toThrow(/selectiveScan: backend: expected/);
});

test('one thread is what the reference has', () => {
  setNumThreads(1);
  expect(getNumThreads()).toBe(1);
});

test('device buffers are ordinary memory', () => {
  const buffer = createDeviceBuffer('f32', Float32Array.of(1, 2));
  expect(buffer.device).toBe('reference');
  expect(buffer.data).toEqual(Float32Array.of(1, 2));
  buffer.dispose();
  expect(buffer.disposed).toBe(true);
});
