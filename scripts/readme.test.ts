/** Runs every ```js example of every package's README, as a reader would paste it into a file. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { examplesIn } from './readme-examples.js';

const packages = fileURLToPath(new URL('../packages', import.meta.url));

describe.each(readdirSync(packages))('README of %s', (name) => {
  const folder = join(packages, name);
  const readme = join(folder, 'README.md');

  test('exists', () => expect(existsSync(readme)).toBe(true));

  if (!existsSync(readme)) return;
  test.each(examplesIn(readFileSync(readme, 'utf8')).map((code, index) => ({ code, index })))(
    'example $index runs',
    async ({ code, index }) => {
      const file = join(folder, `.readme-example-${index}-${process.pid}.mjs`);
      writeFileSync(file, code);
      try {
        // The package resolves itself by name, so the example imports what a user would install.
        await promisify(execFile)(process.execPath, [file], { cwd: folder });
      } finally {
        rmSync(file);
      }
    },
  );
});
