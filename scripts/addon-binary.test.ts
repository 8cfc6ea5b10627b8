/** The addon runs wherever Node runs: it asks for no younger system libraries, and shows Node's two symbols alone. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { beyond, highestVersions, readElf } from './elf.js';

const addon = fileURLToPath(
  new URL('../packages/native-scan/build/Release/statespace.node', import.meta.url),
);
const built = process.platform === 'linux' && existsSync(addon);

/**
 * What the official executables of Node 20.19.0 ask for (`objdump -T`), x64 and arm64 alike; scripts/packages.test.ts
 * compares with those it runs on.
 */
const askedByNode = new Map([
  ['GLIBC', '2.28'],
  ['GLIBCXX', '3.4.21'],
  ['CXXABI', '1.3.9'],
  ['GCC', '3.4'],
]);

test('an addon was built where one must be', () => {
  if (process.env.STATESPACE_REQUIRE_NATIVE === '1' && process.platform === 'linux') expect(built).toBe(true);
});

describe.skipIf(!built)('statespace.node', () => {
  test('needs no symbol younger than those Node 20.19 needs', () => {
    const { needed } = readElf(addon);
    expect(needed.length).toBeGreaterThan(20);
    expect(highestVersions(needed).has('GLIBC')).toBe(true);
    // A name here: take an older version in native/cpu/glibc_symbols.h, define it in binding/cxx_runtime.cc, or do
    // without it.
    expect(beyond(needed, askedByNode)).toEqual([]);
  });

  test('takes everything else from Node-API', () => {
    const unversioned = readElf(addon).needed.filter(({ version }) => version === undefined);
    const known = /^(napi_|node_api_|__gmon_start__$|_ITM_(de)?registerTMCloneTable$|__cxa_finalize$)/;
    expect(unversioned.map(({ name }) => name).filter((name) => !known.test(name))).toEqual([]);
  });

  test('exports the two functions that Node looks for, and nothing else', () => {
    expect([...readElf(addon).exported].sort()).toEqual([
      'napi_register_module_v1',
      'node_api_module_get_api_version_v1',
    ]);
  });
});

describe('versions', () => {
  const symbol = (version: string | undefined) => ({ name: 'f', version });

  test('are compared by number, part by part', () => {
    const symbols = ['GLIBC_2.4', 'GLIBC_2.28', 'GLIBC_2.3.4', 'GLIBCXX_3.4'].map(symbol);
    expect(highestVersions(symbols)).toEqual(
      new Map([
        ['GLIBC', '2.28'],
        ['GLIBCXX', '3.4'],
      ]),
    );
    expect(beyond(symbols, new Map([['GLIBC', '2.4']]))).toEqual(['f@GLIBC_2.28', 'f@GLIBCXX_3.4']);
  });

  test('that are private to one build of a library are always refused', () => {
    expect(beyond([symbol('GLIBC_PRIVATE')], askedByNode)).toEqual(['f@GLIBC_PRIVATE']);
    expect(beyond([symbol(undefined)], askedByNode)).toEqual([]);
  });
});
