/** Which kernels a call runs on, and why. */
import {
  ArgumentError,
  type BackendName,
  createReferenceKernels,
  type DType,
  type Kernels,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { cpuBackend } from './cpu-backend.js';
import { type LoadAttempt, loadAddon, loadUnlessUnwanted } from './loader.js';
import { packageRequire, packageResolve } from './package-require.js';
import { referenceAsyncKernels } from './reference-async.js';
import { remedy, unavailable } from './runtime.js';
import type { AsyncSsmKernels } from './ssm/index.js';
import { getNumThreads } from './threads.js';

/**
 * `'auto'` takes the fastest backend that can do the call; the environment variable `STATESPACE_BACKEND`
 * (`reference`, `cpu` or `cuda`) stands in for it where it is set.
 */
export type BackendChoice = 'auto' | BackendName | `cuda:${number}`;

/** What was chosen for `'auto'`, and what else there is. */
export interface BackendInfo {
  readonly backend: BackendName;
  /** Instruction set of the native kernels, once they are loaded: `'sse2'`, `'avx2'`, `'avx512'` or `'neon'`. */
  readonly isa: string | undefined;
  /** Instruction sets that `STATESPACE_ISA` can choose here, worst first. */
  readonly isas: readonly string[];
  /** Threads that work on one call. */
  readonly threads: number;
  /** Version of this package. */
  readonly version: string;
  /** Where the native addon was looked for; nowhere while `STATESPACE_BACKEND` is `reference`. */
  readonly attempts: readonly LoadAttempt[];
  /** Why the other backends were not chosen. */
  readonly reasons: Readonly<Partial<Record<BackendName, string>>>;
}

/** Kernels with their asynchronous forms. */
export interface Backend {
  readonly kernels: Kernels;
  readonly async: AsyncSsmKernels;
}

const cudaPackage = '@statespace/native-scan-cuda-linux-x64';
const choices = ['auto', 'reference', 'cpu', 'cuda'];

/**
 * The kernels of a device: `'reference'` (float64 in TypeScript), `'cpu'` (native), `'cuda'`, or `'auto'`.
 * @throws {BackendUnavailableError} when a backend named here or in `STATESPACE_BACKEND` cannot be had; the message
 * lists every attempt. @throws {ArgumentError} for a name that is none of these.
 */
export function getKernels(device: BackendChoice = 'auto'): Kernels {
  return chooseBackend('getKernels', device, true).kernels;
}

/** What was chosen and why the others were not. @throws as `getKernels` for a `STATESPACE_BACKEND` that cannot be had. */
export function getBackendInfo(): BackendInfo {
  const { kernels } = chooseBackend('getBackendInfo', 'auto', true);
  const { addon, attempts } = loadUnlessUnwanted();
  const reasons: Partial<Record<BackendName, string>> = {};
  if (kernels.name !== 'cuda') reasons.cuda = cudaAttempt().error as string;
  if (kernels.name !== 'cpu') reasons.cpu = whyNotNative(attempts);
  if (kernels.name !== 'reference')
    reasons.reference = 'slower; it is there for checks and for other formats';
  return {
    backend: kernels.name,
    isa: addon?.isa(),
    isas: addon?.isas() ?? [],
    threads: getNumThreads(),
    version: packageVersion(),
    attempts,
    reasons,
  };
}

function whyNotNative(attempts: readonly LoadAttempt[]): string {
  if (process.env.STATESPACE_BACKEND === 'reference') return 'STATESPACE_BACKEND is reference';
  const { source, error, hint } = remedy(attempts);
  return `${source}: ${error}. ${hint}`;
}

/** The backend for one call on `tensors`; `fits` tells whether the sizes are within the native kernels' limits. */
export function backendFor(
  op: string,
  choice: BackendChoice | undefined,
  tensors: readonly (TensorLike | undefined)[],
  fits = true,
): Backend {
  return chooseBackend(op, choice ?? 'auto', fits && tensors.every(isFloat));
}

/** Not of whole numbers. What is no tensor is refused by the checks of the op, which name the argument. */
function isFloat(tensor: TensorLike | undefined): boolean {
  if (tensor?.data === undefined || tensor.data === null) return true;
  let dtype: DType;
  try {
    dtype = tensorDType(tensor);
  } catch {
    return true;
  }
  return dtype !== 'i32' && dtype !== 'u8';
}

function chooseBackend(op: string, choice: BackendChoice, native: boolean): Backend {
  const wish: unknown = choice === 'auto' ? wishFromEnvironment(op) : choice;
  const name = typeof wish === 'string' ? (wish.split(':', 1)[0] as string) : '';
  if (typeof wish !== 'string' || !choices.includes(name) || (name !== 'cuda' && name !== wish)) {
    throw new ArgumentError({
      op,
      argument: 'backend',
      wanted: "'auto', 'reference', 'cpu', 'cuda' or 'cuda:0'",
      got: typeof wish === 'string' ? `'${wish}'` : wish === null ? 'null' : typeof wish,
    });
  }
  const argument = choice === 'auto' ? 'STATESPACE_BACKEND' : 'backend';
  if (name === 'cuda') throw unavailable({ op, argument, backend: wish, attempts: [cudaAttempt()] });
  if (name === 'cpu') return cpuBackend(op, argument);
  if (name === 'auto' && native && loadAddon().addon !== undefined) return cpuBackend(op);
  return referenceBackend();
}

function wishFromEnvironment(op: string): string {
  const wish = process.env.STATESPACE_BACKEND;
  if (wish === undefined || wish === '') return 'auto';
  if (choices.includes(wish)) return wish;
  throw new ArgumentError({
    op,
    argument: 'STATESPACE_BACKEND',
    wanted: 'auto, reference, cpu or cuda',
    got: wish,
  });
}

let reference: Backend | undefined;

function referenceBackend(): Backend {
  if (reference === undefined) {
    const kernels = createReferenceKernels();
    reference = { kernels, async: referenceAsyncKernels(kernels) };
  }
  return reference;
}

/** This version has no CUDA kernels; a package of another version may still be there. */
function cudaAttempt(): LoadAttempt {
  try {
    packageResolve(cudaPackage);
    return { source: cudaPackage, error: 'this version of @statespace/native-scan cannot use it' };
  } catch {
    return { source: cudaPackage, error: 'not installed' };
  }
}

function packageVersion(): string {
  try {
    return (packageRequire('@statespace/native-scan/package.json') as { readonly version: string }).version;
  } catch {
    // Bundled into an app that is installed without this package.
    return 'unknown';
  }
}
