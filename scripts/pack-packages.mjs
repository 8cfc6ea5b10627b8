/** Packs every package as it would be published. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const exec = promisify(execFile);

/** Packs into `folder`, platform packages where their binary was built; gives the tarballs by package name. */
export async function packPackages(folder) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tarballs = {};
  for (const directory of readdirSync(join(root, 'packages'))) {
    const cwd = join(root, 'packages', directory);
    const { name, version, main } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
    if (main?.endsWith('.node') && !existsSync(join(cwd, main))) continue;
    await exec('npx', ['--yes', packageManager, 'pack', '--pack-destination', folder], { cwd });
    tarballs[name] = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  }
  return tarballs;
}
