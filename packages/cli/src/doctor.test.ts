import { afterEach, describe, expect, test, vi } from 'vitest';
import { captureCli } from './testing/captured-cli.js';

afterEach(() => vi.unstubAllEnvs());

describe('statespace doctor', () => {
  test('tells the backend and the machine, in one column of names', async () => {
    vi.stubEnv('STATESPACE_BACKEND', 'reference');
    const { code, stdout } = await captureCli('doctor');
    expect(code).toBe(0);
    for (const line of [
      /^backend {8}reference: TypeScript, float64 inside$/m,
      /^threads {8}1$/m,
      /^not cpu {8}STATESPACE_BACKEND is reference$/m,
      /^not cuda {7}not installed$/m,
      /^node {11}v\d/m,
      /^memory {9}[\d.]+ GiB$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
    const names = stdout.trimEnd().split('\n');
    for (const line of names) expect(line.slice(14, 16)).toMatch(/^ \S$/);
  });

  test.each([
    ['gpu', /STATESPACE_BACKEND: expected auto, reference, cpu or cuda, got gpu/],
    [
      'cuda',
      /STATESPACE_BACKEND: expected the backend 'cuda', got none; tried \S+cuda\S+ \(not installed\)\. Use/,
    ],
  ])('STATESPACE_BACKEND=%s cannot be had: it says why, and the rest all the same', async (name, why) => {
    vi.stubEnv('STATESPACE_BACKEND', name);
    const { code, stdout, stderr } = await captureCli('doctor');
    expect(code).toBe(2);
    expect(stderr).toMatch(why);
    expect(stdout).toMatch(/^node {11}v\d/m);
    const { error } = JSON.parse((await captureCli('doctor', '--json')).stdout);
    expect(error.message).toMatch(why);
  });
});
