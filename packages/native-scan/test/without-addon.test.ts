/** A machine without the addon: everything works on the reference, and asking for more says what was tried. */
import { randomScanInputs } from '@statespace/ssd-core/testing';
import { expect, test, vi } from 'vitest';

vi.mock('../src/loader.js', async (original) => ({
  ...(await original<typeof import('../src/loader.js')>()),
  loadAddon: () => ({
    addon: undefined,
    attempts: [
      { source: '/somewhere/statespace.node', error: 'Cannot find module' },
      { source: '@statespace/native-scan-plan9-mips', error: 'not installed' },
    ],
  }),
}));

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

test('auto is the reference', async () => {
  expect(getKernels().name).toBe('reference');
  const info = getBackendInfo();
  expect(info).toMatchObject({ backend: 'reference', isa: undefined, isas: [], threads: 1 });
  expect(info.attempts).toHaveLength(2);
  expect(info.reasons.cpu).toBe('the native addon was not found');
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
        message: expect.stringMatching(/somewhere.*Cannot find module.*plan9-mips.*not installed/),
      }),
    );
  }
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
