import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunStore } from '@statespace/experiments';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureCli } from './testing/captured-cli.js';

const tiny = new URL('../../../configs/tiny.yaml', import.meta.url).pathname;
const quick = ['--config', tiny, '--device', 'reference', '--steps', '1'];

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'statespace-unusual-'));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

describe('paths that cannot be meant', () => {
  test.runIf(process.platform === 'linux')('a folder for runs where the system makes none', async () => {
    const { code, stderr } = await captureCli('train', ...quick, '--out', '/proc/nope');
    expect(code).toBe(2);
    expect(stderr).toMatch(/makeFolder: \/proc\/nope\/tiny: expected to make the folder, got ENOENT/);
  });

  test('a file in the place of a folder, and a folder in the place of a file', async () => {
    writeFileSync(join(out, 'file'), '');
    expect(await captureCli('train', ...quick, '--out', join(out, 'file'))).toMatchObject({ code: 2 });
    expect(await captureCli('train', '--config', out)).toMatchObject({ code: 2 });
  });
});

test('a model that no memory holds', async () => {
  const { code, stderr } = await captureCli('train', ...quick, '--out', out, '--model.dModel', '1000000000');
  expect(stderr).toMatch(
    /an array does not fit into memory \(Invalid typed array length: \d+\): make the model,/,
  );
  expect(code).toBe(1);
});

test('the latest run for eval and generate is one that they can use', async () => {
  const trained = await captureCli('train', ...quick, '--out', out, '--json');
  expect(trained.code).toBe(0);
  expect((await captureCli('run', 'exp1', '--T', '8', '--out-dir', out)).code).toBe(0);
  const onReference = ['--out', out, '--device', 'reference', '--json'];
  const judged = await captureCli('eval', ...onReference);
  expect(JSON.parse(judged.stdout).step).toBe(1);

  // The latest trained one is then of no text.
  const bits = [
    '--data.name',
    'parity',
    '--data.seqLen',
    '4',
    '--data.trainMaxSamples',
    '8',
    '--data.valMaxSamples',
    '4',
  ];
  const model = ['--model.dModel', '8', '--trainer.batchSize', '4', '--steps', '1'];
  expect((await captureCli('train', ...bits, ...model, ...onReference)).code).toBe(0);
  const written = await captureCli('generate', ...onReference, '--max-tokens', '2');
  expect(written.code).toBe(0);
  const parity = new RunStore(out).list('parity')[0]?.id as string;
  const named = await captureCli('generate', ...onReference, '--run', parity);
  expect(named.stderr).toMatch(/expected a model of text, got one of parity\. Name another with --run/);
  expect(named.code).toBe(2);
});
