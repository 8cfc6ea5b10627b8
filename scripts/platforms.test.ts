/** The table of platforms, the packages that are made of it, and the workflow that fills them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const json = (path: string) => JSON.parse(text(path));

interface Platform {
  readonly name: string;
  readonly os: string;
  readonly cpu: string;
  readonly libc?: string;
}
const platforms: readonly Platform[] = json('packages/native-scan/platforms.json');

describe.each(platforms)('$name', ({ name, os, cpu, libc }) => {
  const manifest = json(`packages/native-scan-${name}/package.json`);

  test('its package installs there and nowhere else', () => {
    expect(manifest).toMatchObject({ name: `@statespace/native-scan-${name}`, os: [os], cpu: [cpu] });
    expect(manifest.libc).toEqual(libc === undefined ? undefined : [libc]);
    expect(manifest.files).toEqual(['statespace.node']);
    expect(manifest.main).toBe('statespace.node');
  });

  test('native-scan brings it along at its own version', () => {
    const parent = json('packages/native-scan/package.json');
    expect(parent.optionalDependencies[manifest.name]).toBe('workspace:*');
    expect(manifest.version).toBe(parent.version);
  });
});

test('there are no other platform packages', () => {
  const folders = readdirSync(join(root, 'packages')).filter((name) => name.startsWith('native-scan-'));
  expect(folders).toEqual(platforms.map(({ name }) => `native-scan-${name}`).sort());
  const { optionalDependencies } = json('packages/native-scan/package.json');
  expect(Object.keys(optionalDependencies)).toHaveLength(platforms.length);
});

test('no package has a script that an install would run', () => {
  for (const folder of readdirSync(join(root, 'packages'))) {
    const { scripts = {} } = json(`packages/${folder}/package.json`);
    for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) {
      expect(scripts, folder).not.toHaveProperty(hook);
    }
  }
});

test('all packages share one version', () => {
  expect(json('.changeset/config.json').fixed).toEqual([['@statespace/*']]);
});

describe('workflows', () => {
  test('releases build every row of the table, and publish with provenance and without a token', () => {
    const { jobs } = parse(text('.github/workflows/release.yml'));
    expect(text('.github/workflows/release.yml')).toContain('packages/native-scan/platforms.json');
    expect(jobs.addon.strategy.matrix.platform).toContain('fromJson(needs.plan.outputs.platforms)');
    expect(jobs.publish.needs).toBe('addon');
    expect(jobs.publish.permissions['id-token']).toBe('write');
    expect(jobs.publish.steps.at(-1).env).toEqual({
      GITHUB_TOKEN: expect.any(String),
      NPM_CONFIG_PROVENANCE: true,
    });
  });

  test('every run tests the supported versions of Node', () => {
    const { jobs } = parse(text('.github/workflows/ci.yml'));
    expect(jobs.test.strategy.matrix.node).toEqual([20, 22, 24, 26]);
    expect(jobs.sanitizers.strategy.matrix.preset).toEqual(['asan', 'ubsan', 'tsan']);
  });
});

describe('packing a platform package', () => {
  const script = join(root, 'packages/native-scan/scripts/require-addon.mjs');

  /** Runs the check in a folder with such a manifest and, where given, such a binary. */
  function check(os: string, cpu: string, binary?: Buffer) {
    const folder = mkdtempSync(join(tmpdir(), 'statespace-platform-'));
    try {
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'some', os: [os], cpu: [cpu] }));
      if (binary !== undefined) writeFileSync(join(folder, 'statespace.node'), binary);
      const { status, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
      return { status, stderr };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** The first bytes of a binary, and enough of them. */
  function binary(head: readonly (readonly [number, readonly number[]])[]): Buffer {
    const bytes = Buffer.alloc(8192);
    for (const [at, values] of head) bytes.set(values, at);
    return bytes;
  }
  const elf = (machine: number) =>
    binary([
      [0, [0x7f, 0x45, 0x4c, 0x46]],
      [18, [machine, 0]],
    ]);
  const mach = (cpu: number) => binary([[0, [0xcf, 0xfa, 0xed, 0xfe, cpu, 0, 0, 1]]]);
  const windows = binary([
    [0, [0x4d, 0x5a]],
    [0x3c, [0x80]],
    [0x80, [0x50, 0x45, 0, 0, 0x64, 0x86]],
  ]);

  test.each([
    ['linux', 'x64', elf(62)],
    ['linux', 'arm64', elf(183)],
    ['darwin', 'x64', mach(7)],
    ['darwin', 'arm64', mach(12)],
    ['win32', 'x64', windows],
  ])('%s on %s goes through with its own binary', (os, cpu, bytes) => {
    expect(check(os, cpu, bytes)).toEqual({ status: 0, stderr: '' });
    const other = check(os, cpu === 'x64' ? 'arm64' : 'x64', bytes);
    expect(other.stderr).toContain(`statespace.node is for ${os}-${cpu}, the package is for`);
    expect(other.status).toBe(1);
  });

  test('is refused without a binary, and with a file that is none', () => {
    expect(check('linux', 'x64')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is not there'),
    });
    expect(check('linux', 'x64', Buffer.alloc(8192)).stderr).toContain('for no platform');
    expect(check('linux', 'x64', elf(62).subarray(0, 100)).stderr).toContain('for no platform');
  });
});
