/**
 * Builds and runs the C++ kernel tests without Node, for each CMake preset named in STATESPACE_CHECK_NATIVE
 * (`cpu`, `asan`, `ubsan`, `tsan`, separated by commas). Compiling takes minutes, so it is asked for by name.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const cwd = fileURLToPath(new URL('../native', import.meta.url));
const presets = (process.env.STATESPACE_CHECK_NATIVE ?? '').split(',').filter((name) => name !== '');
const exec = promisify(execFile);
const run = async (command: string, ...args: string[]) =>
  (await exec(command, args, { cwd, maxBuffer: 1 << 28 })).stdout;

describe.skipIf(presets.length === 0)('kernel tests in C++', () => {
  test.each(presets.length === 0 ? ['cpu'] : presets)(
    'preset %s',
    async (preset) => {
      await run('cmake', '--preset', preset);
      await run('cmake', '--build', '--preset', preset, '--parallel', '2');
      const report = await run('ctest', '--preset', preset);
      expect(report).toMatch(/100% tests passed, 0 tests failed out of [1-9]/);
    },
    900_000,
  );
});
