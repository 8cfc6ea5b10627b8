/** The command as its own process: killed, interrupted, started twice. Builds the packages first. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCli, executable, startCli, until } from './cli-process.js';

const config = `
name: tiny
model: {dModel: 8, dState: 2, numLayers: 1}
data: {name: moby-dick, seqLen: 16, trainMaxSamples: 64, valMaxSamples: 4}
optimizer: {lr: 0.01, clipNorm: 1}
trainer: {steps: 60, batchSize: 4, logEvery: 3, evalEvery: 20, checkpointEvery: 7}
`;

let root: string;

beforeAll(async () => {
  expect(await buildCli()).toBe('');
}, 180_000);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'statespace-process-'));
  writeFileSync(join(root, 'tiny.yaml'), config);
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** `doctor` and the demo have no folder of runs to name. */
function start(args: readonly string[], env?: Record<string, string>): ReturnType<typeof startCli> {
  const place = ['doctor', undefined].includes(args[0]) ? [] : ['--out', 'runs'];
  return startCli(root, [...args, ...place], env);
}

const run = (args: readonly string[], env?: Record<string, string>) => start(args, env).ended;
const trainTiny = ['train', '--config', 'tiny.yaml'];

function runFolders(): string[] {
  const parent = join(root, 'runs', 'tiny');
  return existsSync(parent)
    ? readdirSync(parent)
        .sort()
        .map((id) => join(parent, id))
    : [];
}

function checkpoints(folder: string): string[] {
  const path = join(folder, 'checkpoints');
  return existsSync(path)
    ? readdirSync(path)
        .filter((name) => /^step-\d+\.safetensors$/.test(name))
        .sort()
    : [];
}

function finalBytes(folder: string): Buffer {
  return readFileSync(join(folder, 'checkpoints', 'step-00000060.safetensors'));
}

function rows(folder: string): object[] {
  const lines = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => ({ ...JSON.parse(line), time: 0, tokensPerSecond: 0, rssBytes: 0 }));
}

describe('kill -9', () => {
  test('at any moment, then --resume: the final checkpoint has the bytes of an unbroken run', async () => {
    expect((await run(trainTiny)).code).toBe(0);
    const [whole] = runFolders() as [string];

    let child = start(trainTiny);
    await until(() => runFolders().some((path) => path !== whole && existsSync(join(path, 'run.json'))));
    const folder = runFolders().find((path) => path !== whole) as string;
    // Before the first checkpoint, then twice as soon as a new one appears.
    for (const wanted of [0, 1, 2]) {
      const seen = new Set(checkpoints(folder));
      if (wanted > 0) await until(() => checkpoints(folder).some((name) => !seen.has(name)));
      child.kill('SIGKILL');
      expect((await child.ended).signal).toBe('SIGKILL');
      const states = JSON.parse((await run(['runs', '--json'])).stdout);
      expect(states.map(({ status }: { status: string }) => status).sort()).toEqual(['completed', 'stopped']);
      child = start(['train', '--resume', folder]);
    }
    expect((await child.ended).code).toBe(0);
    expect(finalBytes(folder).equals(finalBytes(whole))).toBe(true);
    expect(rows(folder)).toEqual(rows(whole));
  }, 120_000);
});

describe('Ctrl-C', () => {
  test('saves a checkpoint, prints the command to go on, exits with 130, and that command works', async () => {
    expect((await run(trainTiny)).code).toBe(0);
    const [whole] = runFolders() as [string];
    const child = start(trainTiny);
    await until(() => runFolders().length === 2);
    const folder = runFolders().find((path) => path !== whole) as string;
    await until(() => checkpoints(folder).length > 0);
    child.kill('SIGINT');
    const { code, stderr } = await child.ended;
    expect(code).toBe(130);
    const command = /^ {2}statespace (train --resume \S+) --out-dir runs$/m.exec(stderr)?.[1];
    expect(command).toBeDefined();
    expect((await run((command as string).split(' '))).code).toBe(0);
    expect(finalBytes(folder).equals(finalBytes(whole))).toBe(true);
  }, 120_000);
});

test('two processes cannot train the same run', async () => {
  const child = start([...trainTiny, '--trainer.steps', '100000']);
  await until(() => runFolders().some((folder) => checkpoints(folder).length > 0));
  const second = await run(['train', '--resume', 'latest']);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`process ${child.pid}`);
  child.kill('SIGKILL');
  await child.ended;
}, 60_000);

test('the demo tells what it does, what it reached, a sample, the figure, a checked paper and what to try', async () => {
  const { code, stdout, stderr } = await run([]);
  expect(code).toBe(0);
  expect(stderr).toContain('Training a Mamba on Moby Dick');
  expect(stderr).toContain('TypeScript reference');
  const losses = [...stderr.matchAll(/held-out loss (\d\.\d+) /g)].map(([, loss]) => Number(loss));
  expect(losses.length).toBeGreaterThan(3);
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) - 1);
  expect(stdout).toMatch(/unigram \d\.\d+, bigram \d\.\d+, trigram \d\.\d+/);
  expect(stdout).toMatch(/speed +[\d,]+ tokens\/s/);
  expect(stdout).toContain('The whale ');
  expect(stdout).toContain('Try next:');
  const figure = /figure +(\S+)/.exec(stdout)?.[1] as string;
  expect(readFileSync(join(root, figure)).subarray(1, 4).toString()).toBe('PNG');
  expect(stdout).toMatch(/^exp1 .* PASS +\d+\.\d s$/m);
  expect(stdout).toMatch(/^11 experiments in \d+\.\d s: all passed$/m);
  const report = /^report: (\S+)$/m.exec(stdout)?.[1] as string;
  expect(readFileSync(join(root, report), 'utf8')).toContain('11 of 11 experiments passed');
}, 120_000);

describe('backends', () => {
  const losses = (stdout: string) => {
    const { training } = JSON.parse(stdout).runs[0].result.metadata;
    return [training.trainLoss, training.heldOut.loss, training.heldOut.lastLoss];
  };

  test('native and reference agree to float32 rounding; threads change nothing', async ({ skip }) => {
    const doctor = JSON.parse((await run(['doctor', '--json'], { STATESPACE_BACKEND: '' })).stdout);
    if (doctor.backend.backend !== 'cpu') skip('no native addon here');
    const short = [...trainTiny, '--steps', '8', '--json'];
    const reference = losses((await run(short)).stdout);
    const one = await run([...short, '--threads', '1'], { STATESPACE_BACKEND: '' });
    const two = await run([...short, '--threads', '2'], { STATESPACE_BACKEND: 'cpu' });
    losses(one.stdout).forEach((loss, i) => {
      expect(Math.abs(loss - (reference[i] as number))).toBeLessThan(2e-5 * (reference[i] as number));
    });
    expect(losses(two.stdout)).toEqual(losses(one.stdout));
    const [, first, second] = runFolders() as [string, string, string];
    const file = 'checkpoints/step-00000008.safetensors';
    expect(readFileSync(join(first, file)).equals(readFileSync(join(second, file)))).toBe(true);
  }, 60_000);
});

describe.runIf(existsSync('/dev/full'))('a disk that is full', () => {
  const toFullDisk = (...args: string[]) => {
    const script = 'exec "$0" "$@" > /dev/full';
    const command = [process.execPath, executable, ...args];
    const env = { ...process.env, STATESPACE_BACKEND: 'reference' };
    return spawnSync('sh', ['-c', script, ...command], { cwd: root, env, encoding: 'utf8' });
  };

  test('under the output: it says so once, without a stack', () => {
    const { status, stderr } = toFullDisk('doctor');
    expect(stderr).toMatch(/^error: standard output was not written: ENOSPC[^\n]*\n$/);
    expect(status).toBe(1);
  });

  test('under the output of a run: the run ends all the same', () => {
    const { status, stderr } = toFullDisk(...trainTiny, '--out', 'runs');
    expect(stderr.match(/error:/g)).toHaveLength(1);
    expect(status).toBe(1);
    expect(
      JSON.parse(readFileSync(join(runFolders()[0] as string, 'result.json'), 'utf8')).passed,
    ).toBeDefined();
  });
});
