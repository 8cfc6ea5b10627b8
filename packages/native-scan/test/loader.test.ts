/** Every way in which loading fails: it throws nothing, ends nothing, and says what happened and what to do. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { interfaceVersion } from '../src/addon.js';
import { candidates, loadAddon, loadFrom } from '../src/loader.js';
import { platformName, platformPackage, publishedPlatforms } from '../src/platform.js';

/** Packages beside the real ones: files by name, and the platform that this seems to be. */
const world = vi.hoisted(() => ({
  files: new Map<string, string>(),
  platform: undefined as string | undefined,
  bundled: false,
}));

vi.mock('../src/package-require.js', async (original) => {
  const real = await original<typeof import('../src/package-require.js')>();
  return {
    ...real,
    // The platform packages of the workspace are out of sight.
    packageResolve(source: string) {
      const seen = isAbsolute(source) || (source.startsWith('@statespace/native-scan/') && !world.bundled);
      const found = world.files.get(source) ?? (seen ? source : undefined);
      if (found === undefined) throw Object.assign(new Error('not found'), { code: 'MODULE_NOT_FOUND' });
      return real.packageResolve(found);
    },
    packageRequire: (source: string) => real.packageRequire(world.files.get(source) ?? source),
  };
});
vi.mock('../src/platform.js', async (original) => {
  const real = await original<typeof import('../src/platform.js')>();
  const platformName = () => world.platform ?? real.platformName();
  return {
    ...real,
    platformName,
    platformPackage: (name = platformName()) => `@statespace/native-scan-${name}`,
  };
});

const folder = mkdtempSync(join(tmpdir(), 'statespace-loader-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  world.files.clear();
  world.platform = undefined;
  world.bundled = false;
  vi.unstubAllEnvs();
});

const file = (name: string, text: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
/** What trying `source` alone says. */
const failure = (source: string) => {
  const { addon, attempts } = loadFrom([source]);
  expect(addon).toBeUndefined();
  return attempts[0]!;
};

test('takes the first that is right, and says of those before it why they are not', () => {
  const old = file('old.cjs', 'exports.interfaceVersion = 0;');
  const current = file('current.cjs', `exports.interfaceVersion = ${interfaceVersion};`);
  const { addon, attempts } = loadFrom([join(folder, 'no/build.node'), old, current, 'never reached']);
  expect(addon?.interfaceVersion).toBe(interfaceVersion);
  expect(attempts).toEqual([
    { source: join(folder, 'no/build.node'), error: 'no local build' },
    {
      source: old,
      error: `of another version: it has interface 0, this package needs ${interfaceVersion}`,
      hint: expect.stringContaining('npm run build'),
    },
    { source: current },
  ]);
});

test('STATESPACE_ADDON is the only place that is looked at', () => {
  const wanted = file('wanted.cjs', `exports.interfaceVersion = ${interfaceVersion};`);
  vi.stubEnv('STATESPACE_ADDON', wanted);
  expect(candidates()).toEqual([wanted]);
  expect(loadFrom(candidates()).addon?.interfaceVersion).toBe(interfaceVersion);
  vi.stubEnv('STATESPACE_ADDON', join(folder, 'gone.node'));
  expect(failure(join(folder, 'gone.node')).hint).toContain('STATESPACE_ADDON');
  vi.stubEnv('STATESPACE_ADDON', '');
  expect(candidates()).toHaveLength(2);
});

describe('the package for this platform', () => {
  test('is not installed: npm left out optional dependencies', () => {
    world.platform = 'win32-x64';
    expect(failure(platformPackage())).toEqual({
      source: '@statespace/native-scan-win32-x64',
      error: 'not installed',
      hint: 'Install again without leaving out optional dependencies',
    });
  });

  test('is not installed, but that of another platform is', () => {
    world.platform = 'win32-x64';
    world.files.set('@statespace/native-scan-darwin-arm64/package.json', file('package.json', '{}'));
    expect(failure(platformPackage())).toMatchObject({
      error: 'not installed, but @statespace/native-scan-darwin-arm64 is',
      hint: 'Install on this machine: node_modules came from another platform',
    });
  });

  test('is not installed beside a bundle that left this package behind', () => {
    world.platform = 'win32-x64';
    world.bundled = true;
    expect(failure(platformPackage())).toMatchObject({
      error: 'not installed',
      hint: 'Install @statespace/native-scan beside this bundle',
    });
  });

  test.each([
    ['linux-x64-musl', 'no binary is published for linux-x64-musl (this Node is linked with musl)'],
    ['freebsd-x64', 'no binary is published for freebsd-x64'],
    ['linux-riscv64-gnu', 'no binary is published for linux-riscv64-gnu'],
  ])('does not exist for %s', (name, error) => {
    world.platform = name;
    expect(failure(platformPackage())).toMatchObject({
      error,
      hint: expect.stringContaining('npm run build'),
    });
  });

  test('has lost its binary', () => {
    world.platform = 'win32-x64';
    world.files.set(`${platformPackage()}/package.json`, file('package.json', '{}'));
    expect(failure(platformPackage())).toMatchObject({
      error: 'installed without its binary',
      hint: expect.stringMatching(/Remove that package and install it again/),
    });
  });

  test('is of another version, or something else', () => {
    world.files.set('@statespace/old', file('of-old.cjs', 'exports.interfaceVersion = 3;'));
    expect(failure('@statespace/old')).toMatchObject({
      error: `of another version: it has interface 3, this package needs ${interfaceVersion}`,
      hint: 'Install @statespace/native-scan and it at the same version',
    });
    for (const text of ['', 'module.exports = null;', "exports.interfaceVersion = '4';"]) {
      world.files.set('@statespace/else', file(`else-${text.length}.cjs`, text));
      expect(failure('@statespace/else').error).toBe('it is not the addon of this package');
    }
  });

  test('throws anything', () => {
    world.files.set('@statespace/throws', file('throws.cjs', 'throw undefined;'));
    expect(failure('@statespace/throws').error).toBe('undefined');
  });
});

test('Node that is too old', () => {
  const { versions } = process;
  Object.defineProperty(process, 'versions', { value: { ...versions, node: '12.0.0', napi: '4' } });
  try {
    expect(failure('anything')).toMatchObject({
      error: 'it needs Node-API 8, Node 12.0.0 has 4',
      hint: 'Use Node 20.19 or newer',
    });
  } finally {
    Object.defineProperty(process, 'versions', { value: versions });
  }
});

test('what is no library at all', () => {
  for (const [name, text] of [
    ['empty', ''],
    ['pointer', 'version https://git-lfs.github.com/spec/v1\n'],
    ['long', 'text\n'.repeat(10_000)],
    ['windows', `MZ${'\xff'.repeat(200)}`],
  ]) {
    expect(failure(file(`${name}.node`, text as string))).toMatchObject({
      error: expect.stringMatching(/^damaged: its \d+ bytes are no shared library$/),
      hint: expect.stringContaining('npm run build'),
    });
  }
});

const real = loadAddon().attempts.at(-1);
describe.runIf(process.platform === 'linux' && real?.error === undefined)('the real binary', () => {
  const bytes = () => readFileSync(realFile());

  test('cut short anywhere is refused before it is mapped, which would end the process', () => {
    const { length } = bytes();
    const cut = join(folder, 'cut.node');
    for (const size of [10, 63, 64, 400, 5000, length >> 1, length - 1]) {
      copyFileSync(realFile(), cut);
      truncateSync(cut, size);
      expect(failure(cut).error).toMatch(/^damaged: /);
    }
    expect(failure(cut).error).toBe(`damaged: ${length - 1} bytes of ${length}`);
  });

  test('of another machine', () => {
    const other = bytes();
    other.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18);
    const target = process.arch === 'x64' ? 'arm64' : 'x64';
    const wanted = `built for linux-${target}, and this is linux-${process.arch}`;
    const source = file('other.node', other);
    expect(failure(source)).toMatchObject({ error: wanted, hint: expect.stringContaining('Build it again') });
    world.files.set('@statespace/other', source);
    expect(failure('@statespace/other').hint).toMatch(/node_modules came from another platform/);
    other.writeUInt16LE(999, 18);
    expect(failure(file('unknown.node', other)).error).toMatch(/no shared library/);
  });

  test('asking for a younger system library', () => {
    const young = bytes();
    const at = young.lastIndexOf('GLIBC_2.');
    const end = young.indexOf(0, at);
    young.write('GLIBC_9.'.padEnd(end - at, '9'), at, 'latin1');
    expect(failure(file('young.node', young))).toMatchObject({
      error: expect.stringMatching(/^this system is too old for it: its libraries have no GLIBC_9/),
      hint: expect.stringMatching(/glibc 2\.28 or newer/),
    });
  });
});

function realFile(): string {
  return real?.source as string;
}

test('the platforms with a binary are those of platforms.json', () => {
  const table = JSON.parse(readFileSync(new URL('../platforms.json', import.meta.url), 'utf8'));
  expect([...publishedPlatforms].sort()).toEqual(table.map(({ name }: { name: string }) => name).sort());
  expect(platformName()).toMatch(new RegExp(`^${process.platform}-${process.arch}`));
});
