/** What this process runs on, in the words of the platform packages. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Platforms with a published binary; platforms.json says how each is built. */
export const publishedPlatforms: readonly string[] = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'darwin-arm64',
  'darwin-x64',
  'win32-x64',
];

/** `linux-x64-gnu` and its like. */
export function platformName(): string {
  const libc = process.platform === 'linux' ? [usesMusl() ? 'musl' : 'gnu'] : [];
  return [process.platform, process.arch, ...libc].join('-');
}

/** `@statespace/native-scan-linux-x64-gnu` and its like. */
export function platformPackage(name = platformName()): string {
  return `@statespace/native-scan-${name}`;
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
