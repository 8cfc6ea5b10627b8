import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readYamlFile } from './yaml-file.js';

const folder = mkdtempSync(join(tmpdir(), 'statespace-yaml-'));
afterAll(() => rmSync(folder, { recursive: true }));

const written = (text: string) => {
  const path = join(folder, 'config.yaml');
  writeFileSync(path, text);
  return path;
};

test('reads a file whole, in any language', () => {
  const filler = '# é\n'.repeat(50_000);
  expect(readYamlFile(written(`${filler}name: Würfel\n`))).toEqual({ name: 'Würfel' });
});

test('a file that is missing, a folder, and one that is no configuration by its size', () => {
  expect(() => readYamlFile(join(folder, 'none.yaml'))).toThrow(/expected a readable file, got no such file/);
  expect(() => readYamlFile(folder)).toThrow(/EISDIR|EPERM|EACCES/);
  expect(() => readYamlFile(written('#'.repeat(2 ** 20 + 1)))).toThrow(/at most 1048576 bytes, got more/);
});

test.skipIf(process.platform === 'win32')('a pipe, and a file without end', () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  execFileSync('sh', ['-c', 'printf "steps: 3\\n" > "$0" &', pipe], { stdio: 'ignore' });
  expect(readYamlFile(pipe)).toEqual({ steps: 3 });
  expect(() => readYamlFile('/dev/zero')).toThrow(/at most 1048576 bytes, got more/);
});
