import { describe, expect, test } from 'vitest';
import { readIntegers } from './integer-options.mjs';
import { readOptions, UsageError } from './options.mjs';

describe('the command line', () => {
  test.each([
    [['--chek'], /--chek/],
    [['--threads', '0'], /--threads: expected an integer of 1 or more, got "0"/],
    [['--peers', 'numpy'], /--peers: there is no "numpy"; it takes torch, jax/],
    [['--check', '--peers', 'torch'], /--check measures no peers/],
    [['more'], /more/],
    [['--only', 'attention'], /--only: nothing has "attention" in its name/],
    [['--check', '--only', 'matrix product 512'], /--only: nothing has/],
  ])('%j is refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(UsageError);
    expect(() => readOptions(args)).toThrow(message);
  });

  test('takes all peers, those named, or none', () => {
    expect(readOptions([]).peers).toContain('reference');
    expect(readOptions(['--peers', 'torch, jax']).peers).toEqual(['torch', 'jax']);
    expect(readOptions(['--peers', 'none']).peers).toEqual([]);
    expect(readOptions(['--', '--check']).check).toBe(true);
  });

  test.each(['gemm', 'matrix product', 'Matrix products'])(
    '--only "%s" means the matrix products',
    (text) => {
      const { chosen } = readOptions(['--only', text]);
      expect(chosen).toMatchObject({ kernels: [], products: ['gemm'], features: [], longSequences: [] });
      expect(chosen.cases).toEqual(['matrix product 512³', 'matrix product 1024³']);
    },
  );

  test('--only takes kernels, their features, long sequences and cases beside others', () => {
    const { chosen } = readOptions(['--only', 'causal conv1d + silu']);
    expect(chosen).toEqual({
      kernels: ['causal conv1d + SiLU forward', 'causal conv1d + SiLU backward'],
      products: [],
      features: [],
      featuresOff: [],
      longSequences: [],
      cases: ['conv1d + SiLU (1, 2048, 1536), W 4'],
    });
    expect(readOptions(['--only', 'SSD chunk scan forward, bf16']).chosen.features).toHaveLength(1);
    expect(readOptions(['--only', 'features switched off']).chosen.featuresOff).toHaveLength(6);
    expect(readOptions(['--only', 'long sequences']).chosen.longSequences).toHaveLength(6);
    expect(readOptions(['--only', 'conv', '--peers', 'none']).chosen.cases).toEqual([]);
  });

  test('without --only everything is measured', () => {
    for (const names of Object.values(readOptions([]).chosen)) expect(names).not.toEqual([]);
  });
});

describe('the options of the longer measurements', () => {
  test('are integers of 1 or more', () => {
    expect(readIntegers({ steps: 5, threads: 2 }, ['--steps', '7', '--json'])).toEqual({
      steps: 7,
      threads: 2,
      json: true,
    });
    expect(() => readIntegers({ steps: 5 }, ['--steps', 'many'])).toThrow(/--steps: .* got "many"/);
    expect(() => readIntegers({ steps: 5 }, ['--steps', '0'])).toThrow(RangeError);
    expect(() => readIntegers({ steps: 5 }, ['--rounds', '2'])).toThrow(/--rounds/);
  });
});
