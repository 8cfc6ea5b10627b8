/** The command as a process of its own, built from the sources first. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
/** The built `statespace`. */
export const executable = join(packageFolder, 'dist/main.js');
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** A build takes seconds; a lock that is older was left by a process that died. */
const staleMs = 170_000;

/**
 * Builds the packages where sources are newer: an old build would test old code. Test files run side by side, and two
 * compilers at once would write the same files under each other's programs.
 * @returns what the compiler said, nothing when all is well
 */
export async function buildCli(): Promise<string> {
  const lock = join(packageFolder, 'node_modules', '.test-build.lock');
  while (!tryLock(lock)) await new Promise((resolve) => setTimeout(resolve, 50));
  try {
    return spawnSync(process.execPath, [compiler, '-b', packageFolder]).stdout.toString();
  } finally {
    rmdirSync(lock);
  }
}

function tryLock(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch {
    try {
      if (Date.now() - statSync(path).mtimeMs > staleMs) rmdirSync(path);
    } catch {
      // Another process was quicker.
    }
    return false;
  }
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `statespace` in `folder`, on the reference backend unless `env` says otherwise. */
export function startCli(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): ChildProcess & { readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [executable, ...args], {
    cwd: folder,
    env: { ...process.env, STATESPACE_BACKEND: 'reference', ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return Object.assign(child, { ended });
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
