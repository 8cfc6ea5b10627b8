/** On what a run is computed: for `environment.json`, and for the warning when it changes. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { type BackendInfo, getBackendInfo } from '@statespace/tensor';

/** What decides how results are rounded. */
export interface BackendIdentity {
  readonly backend: string;
  /** Instruction set of the native kernels; `none` on the reference. */
  readonly isa: string;
  /** Version of the kernels, and the start of the SHA-256 of a locally built addon. */
  readonly build: string;
}

/** What `environment.json` holds. */
export interface Environment extends BackendIdentity {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly osRelease: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly threads: number;
  readonly device: string;
  /** Versions of this package and of those that shape results. */
  readonly versions: Readonly<Record<string, string>>;
  /** Commit of the working folder, where it is a git checkout; `-dirty` when files differ from it. */
  readonly commit?: string;
}

/** Which kernels `device` computes with. */
export function backendIdentity(device: string): BackendIdentity {
  const info = getBackendInfo();
  const backend = device.split(':', 1)[0] as string;
  if (backend === 'reference') return { backend, isa: 'none', build: info.version };
  return { backend, isa: info.isa ?? 'none', build: buildOf(info) };
}

/** This machine, this process and this checkout. */
export function describeEnvironment(device: string): Environment {
  const commit = gitCommit();
  const info = getBackendInfo();
  return {
    ...backendIdentity(device),
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    osRelease: release(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    threads: device === 'cpu' ? info.threads : 1,
    device,
    versions: { experiments: packageVersion(), kernels: info.version },
    ...(commit === undefined ? {} : { commit }),
  };
}

const digests = new Map<string, string>();

function buildOf({ version, attempts }: BackendInfo): string {
  const source = attempts.find(({ error }) => error === undefined)?.source;
  if (source === undefined || !existsSync(source)) return version;
  let digest = digests.get(source);
  if (digest === undefined) {
    digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
    digests.set(source, digest);
  }
  return `${version}+${digest}`;
}

function packageVersion(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}

/** No git, or no checkout, is nothing to fail for. */
function gitCommit(): string | undefined {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5000,
    }).trim();
  try {
    const commit = git('rev-parse', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}-dirty`;
  } catch {
    return undefined;
  }
}
