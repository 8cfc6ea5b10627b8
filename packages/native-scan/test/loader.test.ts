import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { interfaceVersion } from '../src/addon.js';
import { loadFrom } from '../src/loader.js';

const folder = mkdtempSync(join(tmpdir(), 'statespace-loader-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('says what each source was, and why it was not taken', () => {
  const text = join(folder, 'text.node');
  writeFileSync(text, 'not a library');
  const old = join(folder, 'old.cjs');
  writeFileSync(old, 'exports.interfaceVersion = 0;');
  const current = join(folder, 'current.cjs');
  writeFileSync(current, `exports.interfaceVersion = ${interfaceVersion};`);
  const missing = '@statespace/native-scan-plan9-mips';
  const { addon, attempts } = loadFrom([missing, text, old, current, 'never reached']);
  expect(addon?.interfaceVersion).toBe(interfaceVersion);
  expect(attempts.map(({ source }) => source)).toEqual([missing, text, old, current]);
  expect(attempts.map(({ error }) => error)).toEqual([
    expect.stringMatching(/Cannot find/),
    expect.stringMatching(/file too short|invalid ELF|not.*valid/i),
    expect.stringContaining(`interface 0, this package needs ${interfaceVersion}`),
    undefined,
  ]);
});

test('no source at all', () => {
  expect(loadFrom(['./nowhere.node']).addon).toBeUndefined();
});
