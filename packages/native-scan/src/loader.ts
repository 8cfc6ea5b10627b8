/** Finds the native addon: the file that STATESPACE_ADDON names and no other, or a local build, or the package for this platform. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Addon } from './addon.js';
import {
  failureBeforeLoading,
  failureOfInterface,
  failureOfLoading,
  type LoadFailure,
} from './load-failure.js';
import { moduleUrl, packageRequire } from './package-require.js';
import { platformPackage } from './platform.js';

/** One place where the addon was looked for. */
export interface LoadAttempt {
  /** A file, or the name of a package. */
  readonly source: string;
  /** Why it was not used; absent for the one that was. */
  readonly error?: string;
  /** What to do about it, where there is something to mend. */
  readonly hint?: string;
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

/** As `loadAddon`, but where `STATESPACE_BACKEND` is `reference` it loads nothing: somebody may want no binary at all. */
export function loadUnlessUnwanted(): LoadResult {
  if (process.env.STATESPACE_BACKEND !== 'reference') return loadAddon();
  return loaded ?? { addon: undefined, attempts: [] };
}

/** Where the addon is looked for, in order. */
export function candidates(): string[] {
  const file = process.env.STATESPACE_ADDON;
  if (file !== undefined && file !== '') return [resolve(file)];
  return [
    // Both src/ and dist/ stand one level below the package.
    fileURLToPath(new URL('../build/Release/statespace.node', moduleUrl())),
    platformPackage(),
  ];
}

/** Takes the first of `sources`, files or packages, that is an addon of this version. */
export function loadFrom(sources: readonly string[]): LoadResult {
  const attempts: LoadAttempt[] = [];
  for (const source of sources) {
    const result = loadOne(source);
    if (!('error' in result)) {
      attempts.push({ source });
      return { addon: result, attempts };
    }
    attempts.push({ source, ...result });
  }
  return { addon: undefined, attempts };
}

function loadOne(source: string): Addon | LoadFailure {
  const failure = failureBeforeLoading(source);
  if (failure !== undefined) return failure;
  try {
    const found = packageRequire(source);
    return failureOfInterface(source, found) ?? (found as Addon);
  } catch (cause) {
    return failureOfLoading(source, cause);
  }
}
