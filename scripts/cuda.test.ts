/**
 * The CUDA kernels without a device: their tests under the emulation, the addon's tests on them, and what nvcc says of them. Compiling
 * takes minutes, so it is asked for with STATESPACE_CHECK_CUDA=1.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
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
const asked = process.env.STATESPACE_CHECK_CUDA === '1';
const nvcc = asked && (await hasNvcc());

describe.skipIf(!asked || !hasCmake)('emulated CUDA kernels', () => {
  test('pass the kernel tests, without a race', async () => {
    await run('cmake', '--preset', 'cpu');
    await run('cmake', '--build', '--preset', 'cpu', '--parallel', '2', '--target', 'cuda_tests');
    const report = await run('ctest', '--preset', 'cpu', '-R', '^cuda_');
    expect(report).toMatch(/100% tests passed, 0 tests failed out of [1-9]/);
  }, 900_000);
});

describe.skipIf(!asked || !hasCmake)('emulated CUDA kernels behind the addon', () => {
  test('give the golden numbers and the reference’s results in every form', async () => {
    const addonFolder = fileURLToPath(new URL('../packages/native-scan', import.meta.url));
    const root = fileURLToPath(new URL('..', import.meta.url));
    const cmakeJs = ['node_modules/cmake-js/bin/cmake-js', 'compile'];
    await exec(process.execPath, [...cmakeJs, '-O', 'build/emulation', '--CDSTATESPACE_EMULATED_CUDA=ON'], {
      cwd: addonFolder,
      maxBuffer: 1 << 28,
    });
    const env = {
      ...process.env,
      STATESPACE_ADDON: `${addonFolder}/build/emulation/Release/statespace.node`,
      STATESPACE_ISA: 'cuda-emulation',
      STATESPACE_TEST_REPORT: `${addonFolder}/build/emulation/parity.json`,
    };
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', 'packages/native-scan/test/parity'];
    await exec(process.execPath, vitest, { cwd: root, env, maxBuffer: 1 << 28 });
    const report = JSON.parse(await readFile(env.STATESPACE_TEST_REPORT, 'utf8'));
    expect(report).toMatchObject({ success: true, numFailedTests: 0 });
    expect(report.numPassedTests).toBeGreaterThan(600);
  }, 900_000);
});

describe.skipIf(!nvcc)('nvcc', () => {
  test('compiles every kernel without a warning, within its budget of registers and spills', async () => {
    const kernels = await measureKernels();
    expect(kernels.size).toBeGreaterThan(0);
    expect(await exceededBudgets(kernels)).toEqual([]);
  }, 900_000);
});
