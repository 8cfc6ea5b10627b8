/** The CUDA kernels without a device: their tests under the emulation, and what nvcc says of them. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { exceededBudgets, hasNvcc, measureKernels } from './cuda-budget.mjs';

const cwd = fileURLToPath(new URL('../native', import.meta.url));
const exec = promisify(execFile);
const run = async (command: string, ...args: string[]) =>
  (await exec(command, args, { cwd, maxBuffer: 1 << 28 })).stdout;
const hasCmake =
  spawnSync('cmake', ['--version']).status === 0 && spawnSync('c++', ['--version']).status === 0;
const nvcc = await hasNvcc();

describe.skipIf(!hasCmake)('emulated CUDA kernels', () => {
  test('pass the kernel tests, without a race', async () => {
    await run('cmake', '--preset', 'cpu');
    await run('cmake', '--build', '--preset', 'cpu', '--parallel', '2', '--target', 'cuda_tests');
    const report = await run('ctest', '--preset', 'cpu', '-R', '^cuda_');
    expect(report).toMatch(/100% tests passed, 0 tests failed out of [1-9]/);
  }, 900_000);
});

describe.skipIf(!nvcc)('nvcc', () => {
  test('compiles every kernel without a warning, within its budget of registers and spills', async () => {
    const kernels = await measureKernels();
    expect(kernels.size).toBeGreaterThan(0);
    expect(await exceededBudgets(kernels)).toEqual([]);
  }, 900_000);
});
