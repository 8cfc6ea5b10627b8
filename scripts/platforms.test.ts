/** The table of platforms, the packages that are made of it, and the workflow that fills them. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { publishable } from './publish.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const json = (path: string) => JSON.parse(text(path));

interface Platform {
  readonly name: string;
  readonly os: string;
  readonly cpu: string;
  readonly libc?: string;
  readonly container?: string;
}

/** What is looked at in a job of a workflow. */
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
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
  const release = parse(text('.github/workflows/release.yml'));
  const ci = parse(text('.github/workflows/ci.yml'));
  const steps = Object.values<Job>({ ...release.jobs, ...ci.jobs }).flatMap((job) => job.steps ?? []);

  test('releases build every row of the table, and publish what was tested, with provenance and without a token', () => {
    const { addon, publish, test } = release.jobs;
    expect(text('.github/workflows/release.yml')).toContain('packages/native-scan/platforms.json');
    expect(addon.strategy.matrix.platform).toContain('fromJson(needs.version.outputs.platforms)');
    expect(test.uses).toBe('./.github/workflows/ci.yml');
    expect(Object.keys(ci.on)).toContain('workflow_call');
    expect(publish.needs).toEqual(['version', 'test', 'addon']);
    expect(publish.permissions['id-token']).toBe('write');
    expect(text('.github/workflows/release.yml')).not.toContain('secrets.');
  });

  test('only the job that publishes may ask for an identity', () => {
    const asking = Object.entries<Job>(release.jobs).filter(([, job]) => job.permissions?.['id-token']);
    expect(asking.map(([name]) => name)).toEqual(['publish']);
    expect(release.permissions).toEqual({ contents: 'read' });
    expect(ci.permissions).toEqual({ contents: 'read' });
  });

  test('every run tests the supported versions of Node', () => {
    expect(ci.jobs.test.strategy.matrix.node).toEqual([20, 22, 24, 26]);
    expect(ci.jobs.sanitizers.strategy.matrix.preset).toEqual(['asan', 'ubsan', 'tsan']);
  });

  test('actions and containers are pinned to what was looked at', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(5);
    for (const action of actions) expect(action).toMatch(/@[0-9a-f]{40}$/);
    for (const { container } of platforms) {
      if (container !== undefined) expect(container).toMatch(/manylinux_2_28_\w+@sha256:[0-9a-f]{64}$/);
    }
  });

  test('no step swallows an error', () => {
    const scripts = steps.flatMap(({ run }) => run ?? []);
    expect(scripts.length).toBeGreaterThan(5);
    for (const script of scripts) expect(script).not.toMatch(/\|\| *(true|:)/);
    expect(steps.filter((step) => 'continue-on-error' in step)).toEqual([]);
  });
});

describe('publishing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'statespace-publish-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** `publish.mjs` in front of an npm that answers with this script. */
  function withNpm(script: string, ...args: string[]) {
    const npm = join(folder, 'npm');
    writeFileSync(npm, `#!/usr/bin/env node\n${script}`, { mode: 0o755 });
    const { GITHUB_REPOSITORY: _, ...env } = process.env;
    const path = `${folder}${delimiter}${process.env.PATH}`;
    const options = { encoding: 'utf8', env: { ...env, PATH: path } } as const;
    return spawnSync(process.execPath, [join(root, 'scripts/publish.mjs'), ...args], options);
  }
  const unknown = "console.log(JSON.stringify({ error: { code: 'E404' } })); process.exitCode = 1;";

  test('platform packages come before native-scan, and it before all that need it', () => {
    const names = publishable().map(({ manifest }) => manifest.name.replace('@statespace/', ''));
    const behind = ['ssd-core', ...platforms.map(({ name }) => `native-scan-${name}`)];
    expect(names.slice(0, behind.length).sort()).toEqual(behind.sort());
    expect(names[behind.length]).toBe('native-scan');
    expect(names.at(-1)).toBe('cli');
    expect(names).toHaveLength(readdirSync(join(root, 'packages')).length);
  });

  test.skipIf(process.platform === 'win32')('names what the registry does not have', () => {
    const some = `if (/statespace.(cli|tensor)@/.test(process.argv[3])) { ${unknown} } else console.log('"0.0.0"');`;
    const { status, stdout } = withNpm(some, '--list');
    expect(stdout.match(/\S+(?=@\d)/g)).toEqual(['@statespace/tensor', '@statespace/cli']);
    expect(status).toBe(0);
    expect(withNpm('console.log(\'"0.0.0"\')', '--list').stdout).toBe('');
  });

  test.skipIf(process.platform === 'win32')('takes no answer for neither yes nor no', () => {
    const down = withNpm("console.error('npm error ECONNRESET'); process.exitCode = 1;", '--list');
    expect(down).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('ECONNRESET') });
  });

  test.skipIf(process.platform === 'win32')('publishes nothing outside the workflow', () => {
    const { status, stderr } = withNpm(unknown);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('GITHUB_REPOSITORY') });
  });
});

test.skipIf(process.platform === 'win32')('bootstrap.mjs works when it is run, as the workflows do', () => {
  const clone = mkdtempSync(join(tmpdir(), 'statespace-clone-'));
  try {
    for (const name of ['scripts', 'packages', 'examples', 'bin']) mkdirSync(join(clone, name));
    copyFileSync(join(root, 'scripts/bootstrap.mjs'), join(clone, 'scripts/bootstrap.mjs'));
    writeFileSync(join(clone, 'package.json'), JSON.stringify({ packageManager: 'pnpm@1.2.3' }));
    writeFileSync(join(clone, 'bin/pnpm'), '#!/bin/sh\necho 1.2.3\n', { mode: 0o755 });
    const { status, stderr } = spawnSync(process.execPath, [join(clone, 'scripts/bootstrap.mjs')], {
      encoding: 'utf8',
      env: {
        ...process.env,
        STATESPACE_SKIP_NATIVE: '1',
        PATH: `${join(clone, 'bin')}${delimiter}${process.env.PATH}`,
      },
    });
    expect(stderr).toContain('Installing packages');
    expect(stderr).toContain('Building packages');
    expect(status).toBe(0);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
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
    const damaged = 'statespace.node is damaged: ';
    expect(check('linux', 'x64', Buffer.alloc(8192)).stderr).toContain(
      `${damaged}its 8192 bytes are no shared`,
    );
    expect(check('linux', 'x64', elf(62).subarray(0, 60)).stderr).toContain(
      `${damaged}its 60 bytes are no shared`,
    );
    const sections = elf(62);
    sections.writeBigUInt64LE(9000n, 0x28);
    expect(check('linux', 'x64', sections).stderr).toContain(`${damaged}8192 bytes of 9000`);
  });
});
