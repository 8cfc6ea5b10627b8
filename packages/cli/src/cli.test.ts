import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunStore } from '@statespace/experiments';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureCli } from './testing/captured-cli.js';

const tiny = new URL('../../../configs/tiny.yaml', import.meta.url).pathname;
const onReference = ['--device', 'reference', '--steps', '4', '--trainer.evalEvery', '4'];

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'statespace-cli-'));
});
afterEach(() => {
  rmSync(out, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  const path = join(out, name);
  writeFileSync(path, text);
  return path;
}

const train = (...args: string[]) => captureCli('train', '--out', join(out, 'runs'), ...args);

describe('bad input ends with exit code 2, a clear message, and nothing written', () => {
  test.each([
    [['--config', 'absent.yaml'], 'absent.yaml'],
    [['--steps', '1', '--device', 'gpu'], 'expected auto, reference, cpu, cuda or cuda:<index>, got "gpu"'],
    [['--steps', '1', '--device', 'cuda'], "expected the backend 'cuda'"],
    [['--steps', 'many'], "--trainer.steps: expected a number, got 'many'"],
    [['--steps', '1', '--model.headDim', '4'], "model.headDim: expected model.architecture 'mamba2'"],
    [['--d-model', '8'], 'trainer.epochs or trainer.steps'],
    [['--steps', '1', '--seed', '5..1'], 'a range such as 0..9'],
    [['--steps', '1', '--model.dModle', '3'], 'Did you mean --model.dModel?'],
    [['--steps', '1', '--architecture', 'x'], 'unknown option'],
    [['--resume', 'nothing'], "run 'nothing'"],
    [['--steps', '1', '--data.name', 'wikitext2', '--data-dir', '/nonexistent'], '/nonexistent'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await train(...args);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(new RunStore(join(out, 'runs')).list()).toEqual([]);
  });

  test.each([
    ['model:\n  dModle: 64\n', "did you mean 'dModel'?"],
    ['seed: [1\n', 'line 2'],
    ['model: {dModel: wide}\n', 'model.dModel: expected a number, got "wide"'],
    ['seed: 1\nseed: 2\n', 'line 2'],
  ])('a file with %j', async (text, message) => {
    const config = write('bad.yaml', text);
    const { code, stderr } = await train('--config', config);
    expect(code).toBe(2);
    expect(stderr).toContain(config);
    expect(stderr).toContain(message);
    expect(readdirSync(out)).toEqual(['bad.yaml']);
  });

  test('an unknown command gets a suggestion', async () => {
    const { code, stderr } = await captureCli('trian');
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean train?');
  });

  test('an unknown experiment gets one too', async () => {
    const { code, stderr } = await captureCli('run', 'moby-dik');
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean moby-dick?');
  });

  test('with --json the error stands on stdout as JSON', async () => {
    const { code, stdout } = await train('--steps', '1', '--device', 'gpu', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'ERR_CONFIG' } });
  });

  test('with --verbose the stack is shown', async () => {
    const { stderr } = await train('--resume', 'nothing', '--verbose');
    expect(stderr).toContain('    at ');
  });
});

describe('help', () => {
  test.each([
    ['train'],
    ['run'],
    ['run', 'parity'],
    ['verify'],
    ['reproduce'],
    ['grid'],
    ['check-logs'],
    ['eval'],
    ['generate'],
    ['data'],
    ['doctor'],
    ['runs'],
    ['demo'],
  ])('%s %s is shown with exit code 0', async (...command) => {
    const { code, stdout } = await captureCli(...command, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: statespace ${command.join(' ')}`);
    if (command.length === 1) expect(stdout).toContain('Examples:');
  });

  test('the program names its commands and exit codes', async () => {
    const { code, stdout } = await captureCli('--help');
    expect(code).toBe(0);
    for (const text of ['train', 'generate', 'doctor', 'Exit codes', '130']) expect(stdout).toContain(text);
  });

  test('--schema gives the JSON Schema for editors', async () => {
    const { code, stdout } = await captureCli('train', '--schema');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ additionalProperties: false, properties: { model: {} } });
  });

  test('flags of an experiment show its own defaults', async () => {
    const { stdout } = await captureCli('run', 'wikitext2', '--help');
    expect(stdout).toContain('--max-vocab');
    expect(stdout.replace(/\s+/g, ' ')).toContain('the others are <unk> (default 20000)');
  });
});

describe('a run from the command line', () => {
  test('trains, lists, judges and writes', async () => {
    const { code, stdout, stderr } = await train('--config', tiny, ...onReference);
    expect(code).toBe(0);
    expect(stdout).toMatch(/held-out loss +\d\.\d{4} nats per token \(unigram \d/);
    expect(stdout).toMatch(/figure +\S+loss\.png/);
    expect(stderr).toContain('run folder: ');
    expect(stderr).not.toContain('\r');

    const runs = join(out, 'runs');
    const listed = await captureCli('runs', '--out', runs, '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([{ experiment: 'tiny', status: 'completed', step: 4 }]);
    const judged = await captureCli('eval', '--out', runs, '--device', 'reference', '--json');
    const [{ heldOutLoss }] = JSON.parse(listed.stdout);
    expect(JSON.parse(judged.stdout).loss).toBeCloseTo(heldOutLoss, 12);
    const written = await captureCli(
      'generate',
      '--out',
      runs,
      '--device',
      'reference',
      '--prompt',
      'The ',
      '--max-tokens',
      '20',
    );
    expect(written.code).toBe(0);
    expect(written.stdout.startsWith('The ')).toBe(true);
    const again = await captureCli(
      'generate',
      '--out',
      runs,
      '--device',
      'reference',
      '--prompt',
      'The ',
      '--max-tokens',
      '20',
      '--json',
    );
    expect(`${JSON.parse(again.stdout).text}\n`).toBe(written.stdout);
  });

  test('a truncated checkpoint is refused by name', async () => {
    await train('--config', tiny, ...onReference);
    const runs = join(out, 'runs');
    const best = join(new RunStore(runs).find('latest').checkpointDirectory, 'best.safetensors');
    truncateSync(best, 1000);
    const { code, stderr } = await captureCli('eval', '--out', runs, '--device', 'reference');
    expect(code).toBe(2);
    expect(stderr).toContain(best);
    expect(stderr).toContain('expected a whole checkpoint');
  });

  test('several seeds make several runs and statistics; stdout is one JSON document', async () => {
    const { code, stdout } = await train('--config', tiny, ...onReference, '--seed', '0..1', '--json');
    expect(code).toBe(0);
    const { runs, statistics } = JSON.parse(stdout);
    expect(runs).toHaveLength(2);
    expect(runs[0].result.passed).toBe(true);
    const losses = runs.map(
      (run: { result: { metadata: { training: { heldOut: { loss: number } } } } }) =>
        run.result.metadata.training.heldOut.loss,
    );
    expect(statistics['training.heldOut.loss'].mean).toBeCloseTo((losses[0] + losses[1]) / 2, 12);
    expect(losses[0]).not.toBe(losses[1]);
  });

  test('a completed run cannot be resumed, and a resumed one takes no other parameters', async () => {
    await train('--config', tiny, ...onReference);
    const completed = await train('--resume', 'latest');
    expect(completed.code).toBe(2);
    expect(completed.stderr).toContain('a completed one');
    const changed = await train('--resume', 'latest', '--d-model', '9');
    expect(changed.code).toBe(2);
    expect(changed.stderr).toContain('A resumed run keeps its own configuration');
  });

  test('an experiment whose check fails exits with 1', async () => {
    const { code, stdout } = await captureCli(
      ...[
        'run',
        'moby-dick',
        '--out',
        join(out, 'runs'),
        '--config',
        tiny,
        '--device',
        'reference',
        '--steps',
        '2',
      ],
    );
    expect(stdout).toContain('FAILED');
    expect(code).toBe(1);
  });
});
