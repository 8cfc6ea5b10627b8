import type { EvalEvent, LogEvent, StartEvent } from '@statespace/experiments';
import { describe, expect, test } from 'vitest';
import { formatBytes, formatDuration, formatTable } from './number-format.js';
import { Terminal } from './terminal.js';
import { TrainingProgress } from './training-progress.js';

const start: StartEvent = {
  type: 'start',
  step: 0,
  totalSteps: 100,
  parameters: 12_345,
  vocabSize: 84,
  trainWindows: 1000,
  heldOutWindows: 100,
  references: { bigram: 2.4567 },
  warnings: ['isa is avx2, was avx512'],
};

const log = (step: number): LogEvent => ({
  type: 'log',
  step,
  totalSteps: 100,
  epoch: 0,
  loss: 2,
  gradNorm: 1,
  lr: 1e-3,
  tokensPerSecond: 41_234,
  secondsLeft: 75,
  rssBytes: 1,
});

const evaluation: EvalEvent = {
  type: 'eval',
  step: 50,
  totalSteps: 100,
  best: true,
  loss: 2,
  perplexity: 7.389,
  accuracy: 0.405,
  lastLoss: 2.1,
  lastAccuracy: 0.4,
  tokens: 10,
  samples: 2,
};

function terminal(isTTY: boolean, columns = 80) {
  const written = { stdout: '', stderr: '' };
  const stdout = {
    write: (text: string) => {
      written.stdout += text;
    },
  };
  const stderr = {
    isTTY,
    columns,
    write: (text: string) => {
      written.stderr += text;
    },
  };
  return { written, terminal: new Terminal({ stdout, stderr }) };
}

describe('progress', () => {
  test('one line that is rewritten in place on a terminal, and gives way to lines that stay', () => {
    const { written, terminal: tty } = terminal(true);
    const progress = new TrainingProgress(tty);
    progress.show(log(10));
    progress.show(log(20));
    progress.show(evaluation);
    expect(written.stderr).toBe(
      '\r\u001b[2Kstep 10/100  loss 2.000  41,234 tok/s  1:15 left' +
        '\r\u001b[2Kstep 20/100  loss 2.000  41,234 tok/s  1:15 left' +
        '\r\u001b[2Kstep 50: held-out loss 2.000 (perplexity 7.4, accuracy 40.5%); last position 2.100, 40.0%\n',
    );
    expect(written.stdout).toBe('');
  });

  test('notes stay, those of the moment give way', () => {
    const { written, terminal: tty } = terminal(true);
    const progress = new TrainingProgress(tty);
    progress.show({ type: 'note', text: 'epoch 1', passing: true });
    progress.show({ type: 'note', text: 'one is done', passing: false });
    expect(written.stderr).toBe('\r\u001b[2Kepoch 1\r\u001b[2Kone is done\n');

    const { written: piped, terminal: pipe } = terminal(false);
    const lines = new TrainingProgress(pipe, () => 0);
    for (const epoch of [1, 2, 3]) lines.show({ type: 'note', text: `epoch ${epoch}`, passing: true });
    lines.show({ type: 'note', text: 'one is done', passing: false });
    expect(piped.stderr).toBe('epoch 1\none is done\n');
  });

  test('is cut to the width of the terminal', () => {
    const { written, terminal: tty } = terminal(true, 20);
    new TrainingProgress(tty).show(log(10));
    expect(written.stderr.replace('\r\u001b[2K', '')).toBe('step 10/100  loss 2');
  });

  test('plain lines when piped, at most one in ten seconds, and the last', () => {
    const { written, terminal: pipe } = terminal(false);
    let now = 0;
    const progress = new TrainingProgress(pipe, () => now);
    for (const step of [10, 20, 30]) progress.show(log(step));
    now = 10_000;
    for (const step of [40, 50, 100]) progress.show(log(step));
    expect(written.stderr.match(/step \d+/g)).toEqual(['step 10', 'step 40', 'step 100']);
    expect(written.stderr).not.toContain('\r');
  });

  test('the start tells sizes, what to beat, and warnings', () => {
    const { written, terminal: pipe } = terminal(false);
    new TrainingProgress(pipe).show(start);
    expect(written.stderr).toContain('12,345 parameters, 84 kinds of token');
    expect(written.stderr).toContain('bigram 2.457');
    expect(written.stderr).toContain('warning: isa is avx2');
  });
});

test('numbers for people', () => {
  expect([0, 61, 3661].map(formatDuration)).toEqual(['0:00', '1:01', '1:01:01']);
  expect([2 ** 20, 3 * 2 ** 30].map(formatBytes)).toEqual(['1.0 MiB', '3.00 GiB']);
  expect(
    formatTable([
      ['a', 'bb'],
      ['ccc', ''],
    ]),
  ).toEqual(['a    bb', 'ccc']);
});
