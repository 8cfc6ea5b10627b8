/**
 * `npm test`: prepares the clone, then runs lint, types, import directions, publint and all tests.
 * Arguments go to vitest: `npm test -- packages/tensor` runs the tests of one package alone.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, root } from './bootstrap.mjs';

bootstrap();

const bin = (name) => join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);
const publishable = readdirSync(join(root, 'packages')).filter((name) => {
  const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
  return !manifest.private && manifest.exports !== undefined;
});

const filters = process.argv.slice(2);
const checks = [
  ['lint', bin('biome'), ['ci', '.']],
  ['types', bin('tsc'), ['-p', 'tsconfig.test.json']],
  ['import directions', process.execPath, ['scripts/check-imports.mjs']],
  ...publishable.map((name) => [
    `publint ${name}`,
    bin('publint'),
    ['--strict', '--pack', 'npm', join('packages', name)],
  ]),
];
const tests = ['tests', bin('vitest'), ['run', ...filters]];

const failed = [];
for (const [name, command, args] of filters.length > 0 ? [tests] : [...checks, tests]) {
  const quiet = name !== 'tests';
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: quiet ? 'pipe' : 'inherit',
    shell: process.platform === 'win32',
  });
  const ok = result.status === 0;
  if (!ok) failed.push(name);
  if (quiet) {
    console.error(`${ok ? 'ok    ' : 'FAILED'} ${name}`);
    if (!ok) console.error(result.stdout + result.stderr);
  }
}
if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
