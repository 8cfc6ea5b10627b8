/** Says why an addon was not loaded, and what to do about it. */
import { isAbsolute } from 'node:path';
import { interfaceVersion } from './addon.js';
import { type AddonFileProblem, addonFileProblem } from './addon-file.js';
import { packageResolve } from './package-require.js';
import { platformName, platformPackage, publishedPlatforms } from './platform.js';

/** What happened; `hint` is an imperative sentence without its full stop, absent where there is nothing to mend. */
export interface LoadFailure {
  readonly error: string;
  readonly hint?: string;
}

/** The Node-API that the binary is built for: Node 12.22 has it, as does everything this package supports. */
const neededNodeApi = 8;

const buildIt = "'npm run build' in a clone of the repository";

/** Why `source`, a file or a package, need not be given to `require`; undefined when it may be. */
export function failureBeforeLoading(source: string): LoadFailure | undefined {
  const nodeApi = Number(process.versions.napi);
  if (nodeApi < neededNodeApi) {
    return {
      error: `it needs Node-API ${neededNodeApi}, Node ${process.versions.node} has ${nodeApi}`,
      hint: 'Use Node 20.19 or newer',
    };
  }
  let file: string;
  try {
    file = packageResolve(source);
  } catch (cause) {
    return notThere(source, cause);
  }
  if (!file.endsWith('.node')) return undefined;
  let problem: AddonFileProblem | undefined;
  try {
    problem = addonFileProblem(file);
  } catch (cause) {
    return { error: `unreadable: ${firstLine(cause)}`, hint: 'Let this process read that file' };
  }
  if (problem === undefined) return undefined;
  const { error, builtFor } = problem;
  return { error, hint: builtFor === undefined ? again(source) : installHere(source) };
}

/** Why `require` threw. */
export function failureOfLoading(source: string, cause: unknown): LoadFailure {
  const text = firstLine(cause);
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (code === 'ERR_DLOPEN_DISABLED') return { error: text, hint: 'Start Node with --allow-addons' };
  const version = /version [`'"]((?:GLIBC|GLIBCXX|CXXABI|GCC)_[\w.]+)' not found/.exec(text)?.[1];
  if (version !== undefined) {
    return {
      error: `this system is too old for it: its libraries have no ${version}`,
      hint: `Use a system with glibc 2.28 or newer, or build the addon here, with ${buildIt}`,
    };
  }
  return { error: text, hint: again(source) };
}

/** Why a module that was loaded is not the addon of this package. */
export function failureOfInterface(source: string, found: unknown): LoadFailure | undefined {
  const version = (found as { readonly interfaceVersion?: unknown } | null | undefined)?.interfaceVersion;
  if (version === interfaceVersion) return undefined;
  return typeof version === 'number'
    ? {
        error: `of another version: it has interface ${version}, this package needs ${interfaceVersion}`,
        hint: isAbsolute(source)
          ? `Build it again, with ${buildIt}`
          : 'Install @statespace/native-scan and it at the same version',
      }
    : { error: 'it is not the addon of this package', hint: again(source) };
}

function notThere(source: string, cause: unknown): LoadFailure {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== 'MODULE_NOT_FOUND') return { error: firstLine(cause), hint: again(source) };
  // A clone has one, a published package has none.
  if (isAbsolute(source) && process.env.STATESPACE_ADDON) {
    return { error: 'no such file', hint: 'Correct STATESPACE_ADDON or unset it' };
  }
  if (isAbsolute(source)) return { error: 'no local build' };
  if (canResolve(`${source}/package.json`)) {
    return { error: 'installed without its binary', hint: `${again(source)}, or build it, with ${buildIt}` };
  }
  if (source === platformPackage() && !publishedPlatforms.includes(platformName())) {
    const libc = platformName().endsWith('-musl') ? ' (this Node is linked with musl)' : '';
    return {
      error: `no binary is published for ${platformName()}${libc}`,
      hint: `Build the addon here, with ${buildIt}`,
    };
  }
  if (!canResolve('@statespace/native-scan/package.json')) {
    return { error: 'not installed', hint: 'Install @statespace/native-scan beside this bundle' };
  }
  const other = publishedPlatforms
    .map((name) => platformPackage(name))
    .find((name) => canResolve(`${name}/package.json`));
  return other === undefined
    ? { error: 'not installed', hint: 'Install again without leaving out optional dependencies' }
    : { error: `not installed, but ${other} is`, hint: installHere(source) };
}

function canResolve(source: string): boolean {
  try {
    packageResolve(source);
    return true;
  } catch {
    return false;
  }
}

function again(source: string): string {
  return isAbsolute(source) ? `Build it again, with ${buildIt}` : 'Remove that package and install it again';
}

function installHere(source: string): string {
  return isAbsolute(source)
    ? again(source)
    : 'Install on this machine: node_modules came from another platform';
}

/** Without its full stop: it stands within a sentence. */
function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return (text.split('\n', 1)[0] as string).replace(/\.$/, '');
}
