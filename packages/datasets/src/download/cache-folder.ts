/** Where downloaded data are kept between runs. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

export interface CacheFolderSources {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  readonly home?: string;
}

/**
 * The cache folder: `STATESPACE_CACHE`, else the platform's convention (`$XDG_CACHE_HOME` or `~/.cache` on Linux,
 * `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows) with `statespace` below it. It need not exist yet.
 */
export function cacheFolder({
  env = process.env,
  platform = process.platform,
  home = homedir(),
}: CacheFolderSources = {}): string {
  if (env.STATESPACE_CACHE) return resolve(env.STATESPACE_CACHE);
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'statespace');
  if (platform === 'win32') {
    return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'statespace', 'Cache');
  }
  // The XDG specification has relative paths ignored.
  const xdg = env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, '.cache'), 'statespace');
}
