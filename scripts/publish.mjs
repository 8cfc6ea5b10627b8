/**
 * Publishes every package whose version the registry does not have, platform packages first, so that nobody can
 * install native-scan before its binaries. `--list` only names them. Runs in the release workflow: a package is
 * published with provenance, which must name the repository it was built in.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packPackages } from './pack-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const shell = process.platform === 'win32';

/** Public packages, each behind those it depends on. */
export function publishable(folder = join(root, 'packages')) {
  const packages = new Map();
  for (const directory of readdirSync(folder)) {
    const manifest = JSON.parse(readFileSync(join(folder, directory, 'package.json'), 'utf8'));
    if (!manifest.private) packages.set(manifest.name, { directory, manifest });
  }
  const ordered = new Map();
  const visit = (name) => {
    const found = packages.get(name);
    if (found === undefined || ordered.has(name)) return;
    const { dependencies = {}, optionalDependencies = {} } = found.manifest;
    for (const needed of Object.keys({ ...optionalDependencies, ...dependencies })) visit(needed);
    ordered.set(name, found);
  };
  for (const name of packages.keys()) visit(name);
  return [...ordered.values()];
}

/** Whether the registry has it; anything but a clear answer throws. */
function isPublished({ name, version }) {
  const { status, stdout, stderr } = spawnSync('npm', ['view', `${name}@${version}`, 'version', '--json'], {
    encoding: 'utf8',
    shell,
  });
  if (status === 0) return stdout.trim() !== '';
  if (/"code":\s*"E404"/.test(stdout)) return false;
  throw new Error(`the registry does not tell about ${name}@${version}: ${stderr || stdout}`);
}

/** The `repository` of a manifest that is built in the repository of this workflow. */
function repositoryOf(directory) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  if (!server || !repository) {
    throw new Error(
      'GITHUB_SERVER_URL and GITHUB_REPOSITORY are not set: packages are published by the release workflow',
    );
  }
  return { type: 'git', url: `git+${server}/${repository}.git`, directory: `packages/${directory}` };
}

async function publish(unpublished) {
  for (const { directory, manifest } of unpublished) {
    const named = { ...manifest, repository: repositoryOf(directory) };
    writeFileSync(join(root, 'packages', directory, 'package.json'), `${JSON.stringify(named, null, 2)}\n`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'statespace-publish-'));
  try {
    const tarballs = await packPackages(folder);
    const missing = unpublished.filter(({ manifest }) => tarballs[manifest.name] === undefined);
    if (missing.length > 0) {
      throw new Error(
        `no binary for ${missing.map(({ manifest }) => manifest.name).join(', ')}; nothing was published`,
      );
    }
    for (const { manifest } of unpublished) {
      const options = ['--access', 'public', '--provenance'];
      execFileSync('npm', ['publish', tarballs[manifest.name], ...options], { stdio: 'inherit', shell });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const unpublished = publishable().filter(({ manifest }) => !isPublished(manifest));
  if (process.argv.includes('--list')) {
    for (const { manifest } of unpublished) console.log(`${manifest.name}@${manifest.version}`);
  } else {
    await publish(unpublished);
  }
}
