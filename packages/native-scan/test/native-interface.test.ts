/** The door for other native addons: the table as an External, and the headers that describe it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';
import { includeDir } from '@statespace/native-scan/include';
import { expect, test } from 'vitest';
import { type LoadAttempt, nativeInterface } from '../src/index.js';
import { loadAddon } from '../src/loader.js';
import { describeNative } from './support.js';

test('the headers lie where includeDir says, and are published', () => {
  for (const name of ['statespace.h', 'node.h'])
    expect(existsSync(join(includeDir, 'statespace', name))).toBe(true);
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(manifest.files).toContain('include');
});

describeNative('nativeInterface', () => {
  test('answers an External', () => {
    expect(types.isExternal(nativeInterface())).toBe(true);
  });

  test('in a worker too, and after the worker has ended', async () => {
    // A worker thread cannot load TypeScript, so it asks the binary itself.
    const { source } = loadAddon().attempts.at(-1) as LoadAttempt;
    const binary = createRequire(import.meta.url).resolve(source);
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { types } = require('node:util');
      parentPort.postMessage(types.isExternal(require(workerData).nativeInterface()));`;
    const worker = new Worker(code, { eval: true, workerData: binary });
    const answer = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
    await worker.terminate();
    expect(answer).toBe(true);
    expect(types.isExternal(nativeInterface())).toBe(true);
  });
});
