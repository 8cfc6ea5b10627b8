/** Finds the native addon: a local build first, then the package for this platform. */
import { closeSync, openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Addon, interfaceVersion } from './addon.js';
import { moduleUrl, packageRequire } from './package-require.js';

/** One place where the addon was looked for. */
export interface LoadAttempt {
  /** A file, or the name of a package. */
  readonly source: string;
  /** Why it was not used; absent for the one that was. */
  readonly error?: string;
}

/** What loading came to. */
export interface LoadResult {
  readonly addon: Addon | undefined;
  readonly attempts: readonly LoadAttempt[];
}

let loaded: LoadResult | undefined;

/** Loads the addon once; says what was tried. Does not throw. */
export function loadAddon(): LoadResult {
  loaded ??= loadFrom(candidates());
  return loaded;
}

function candidates(): string[] {
  return [
    // Both src/ and dist/ stand one level below the package.
    fileURLToPath(new URL('../build/Release/statespace.node', moduleUrl())),
    platformPackage(),
  ];
}

/** `@statespace/native-scan-linux-x64-gnu` and its like. */
export function platformPackage(): string {
  const libc = process.platform === 'linux' ? [usesMusl() ? 'musl' : 'gnu'] : [];
  return `@statespace/native-scan-${[process.platform, process.arch, ...libc].join('-')}`;
}

/** Whether this Node was linked against musl: its program header names the loader, near the start of the file. */
function usesMusl(): boolean {
  const head = Buffer.alloc(4096);
  try {
    const file = openSync(process.execPath, 'r');
    try {
      readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    // Unreadable executable: glibc is by far the likelier, and a wrong guess only makes `require` fail.
    return false;
  }
  return head.includes('ld-musl-');
}

/** Takes the first of `sources`, files or packages, that is an addon of this version. */
export function loadFrom(sources: readonly string[]): LoadResult {
  const attempts: LoadAttempt[] = [];
  for (const source of sources) {
    try {
      const addon = packageRequire(source) as Addon;
      if (addon.interfaceVersion !== interfaceVersion) {
        throw new Error(
          `it has interface ${addon.interfaceVersion}, this package needs ${interfaceVersion}; rebuild or reinstall it`,
        );
      }
      attempts.push({ source });
      return { addon, attempts };
    } catch (cause) {
      attempts.push({ source, error: firstLine(cause) });
    }
  }
  return { addon: undefined, attempts };
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split('\n', 1)[0] as string;
}
