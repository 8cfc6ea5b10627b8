import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheFolder } from './cache-folder.js';

const home = '/home/ada';

describe('cacheFolder', () => {
  it('is STATESPACE_CACHE where that is set', () => {
    const env = { STATESPACE_CACHE: 'data/cache', XDG_CACHE_HOME: '/x' };
    expect(cacheFolder({ env, platform: 'linux', home })).toBe(resolve('data/cache'));
  });

  it('follows the platform', () => {
    expect(cacheFolder({ env: {}, platform: 'linux', home })).toBe(join(home, '.cache', 'statespace'));
    expect(cacheFolder({ env: { XDG_CACHE_HOME: '/x' }, platform: 'linux', home })).toBe(
      join('/x', 'statespace'),
    );
    expect(cacheFolder({ env: { XDG_CACHE_HOME: 'x' }, platform: 'linux', home })).toBe(
      join(home, '.cache', 'statespace'),
    );
    expect(cacheFolder({ env: {}, platform: 'darwin', home })).toBe(
      join(home, 'Library', 'Caches', 'statespace'),
    );
    expect(cacheFolder({ env: { LOCALAPPDATA: '/l' }, platform: 'win32', home })).toBe(
      join('/l', 'statespace', 'Cache'),
    );
    expect(cacheFolder({ env: {}, platform: 'win32', home })).toBe(
      join(home, 'AppData', 'Local', 'statespace', 'Cache'),
    );
  });
});
