import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IoError } from '@statespace/ssd-core';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from '../index.js';

const root = mkdtempSync(join(tmpdir(), 'statespace-folder-'));
afterAll(() => rmSync(root, { recursive: true }));

test('makes what is missing, and leaves what is there', () => {
  const path = join(root, 'a/b/c');
  makeFolder(path);
  makeFolder(path);
  makeFolder(join(root, 'a/b'));
  makeFolder('/');
  makeFolder('.');
  expect(statSync(path).isDirectory()).toBe(true);
});

test('a file in the way', () => {
  writeFileSync(join(root, 'file'), '');
  for (const path of ['file', 'file/below', 'file/far/below']) {
    expect(() => makeFolder(join(root, path))).toThrow(
      /makeFolder: \S+: expected to make the folder, got E(EXIST|NOTDIR)/,
    );
  }
});

test.runIf(process.platform === 'linux')(
  'a place where the system makes no folders is an error, and soon',
  () => {
    for (const path of ['/proc/nope', '/proc/nope/far/below'])
      expect(() => makeFolder(path)).toThrow(IoError);
  },
);
