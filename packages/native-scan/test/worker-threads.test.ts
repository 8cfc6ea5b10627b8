import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { loadAddon } from '../src/loader.js';
import { describeNative } from './support.js';

const binary = loadAddon().attempts.at(-1)?.source as string;

/** Runs `body` with the raw addon as `addon` in a worker and gives what it posts. */
function inWorker(body: string) {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const addon = require(${JSON.stringify(existsSync(binary) ? binary : fileURLToPath(binary))});
    const post = (value) => parentPort.postMessage(value);
    const softmax = (rows) => {
      const x = Float32Array.from({ length: rows * 64 }, (_, i) => Math.sin(i));
      const out = new Float32Array(rows * 64);
      const code = addon.softmax(Float64Array.of(rows, 64, 0, 0, 0), x, out);
      return { code, out };
    };
    ${body}`;
  const worker = new Worker(code, { eval: true });
  const message = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const exited = new Promise<number>((resolve) => worker.once('exit', resolve));
  return { worker, message, exited };
}

describeNative('worker_threads', () => {
  test('several at once give the same bits', async () => {
    const runs = Array.from({ length: 4 }, () =>
      inWorker('let last; for (let i = 0; i < 50; i++) last = softmax(200); post(last);'),
    );
    const results = (await Promise.all(runs.map(({ message }) => message))) as {
      code: number;
      out: Float32Array;
    }[];
    for (const { code, out } of results) {
      expect(code).toBe(0);
      expect(out).toEqual(results[0]?.out);
    }
    for (const { exited } of runs) expect(await exited).toBe(0);
  });

  test('memory of a worker is given back when it ends', async () => {
    const before = loadAddon().addon?.memoryStats()[0] as number;
    const { message, exited } = inWorker(
      'globalThis.kept = Array.from({ length: 10 }, () => addon.allocate(1 << 20)); post(addon.memoryStats()[0]);',
    );
    expect((await message) as number).toBeGreaterThanOrEqual(before + (10 << 20));
    await exited;
    expect(loadAddon().addon?.memoryStats()[0]).toBe(before);
  });

  test('a worker that ends during asynchronous calls waits for them and does no harm', async () => {
    const { worker, message } = inWorker(`
      const length = 1 << 20;
      const x = new Float32Array(length).fill(1);
      const weight = new Float32Array(4 * 64).fill(0.5);
      const call = () => addon.causalConv1dAsync(
        Float64Array.of(1, length / 64, 64, 4, 1, -1, 0, 64, 0, 0, 0, 0, 0, 0, 0), undefined,
        x, weight, undefined, undefined, undefined, new Float32Array(length), undefined);
      for (let i = 0; i < 50; i++) call();
      post('begun');
    `);
    expect(await message).toBe('begun');
    await worker.terminate();
  });

  test('the addon may be loaded twice in one environment', async () => {
    const { message, exited } = inWorker(`
      delete require.cache[Object.keys(require.cache).find((key) => key.endsWith('.node'))];
      const again = require(${JSON.stringify(binary)});
      post([again === addon, again.interfaceVersion]);
    `);
    expect(await message).toEqual([false, loadAddon().addon?.interfaceVersion]);
    await exited;
  });

  test('many short-lived workers', async () => {
    for (let i = 0; i < 10; i++) {
      const { message, exited } = inWorker('post(softmax(100).code)');
      expect(await message).toBe(0);
      expect(await exited).toBe(0);
    }
  });
});
