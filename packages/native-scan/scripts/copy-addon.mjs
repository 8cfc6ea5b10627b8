/**
 * Copies the built addon into the package for this platform, if the workspace has one. By a rename, because the old
 * file may be mapped into a running process, which would crash if it were overwritten.
 */
import { copyFileSync, existsSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const libc = process.platform === 'linux' ? '-gnu' : '';
const folder = new URL(`../../native-scan-${process.platform}-${process.arch}${libc}/`, import.meta.url);
if (existsSync(folder)) {
  const built = new URL('../build/Release/statespace.node', import.meta.url);
  const fresh = new URL(`statespace.node.${process.pid}`, folder);
  copyFileSync(built, fresh);
  renameSync(fresh, fileURLToPath(new URL('statespace.node', folder)));
}
