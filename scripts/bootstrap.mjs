/**
 * Makes a clone runnable: checks Node, installs packages, builds TypeScript and, where CMake and a C++20
 * compiler are there, the native addon. Has no dependency, speaks on stderr only, and does no work twice.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, 'node_modules', '.statespace-bootstrap.json');
const addonFile = join(root, 'packages/native-scan/build/Release/statespace.node');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Prepares the clone; ends the process with code 2 and a message when it cannot. */
export function bootstrap() {
  checkNode();
  const done = readStamp();
  const install = fingerprint(manifests());
  if (done.install !== install) {
    step('Installing packages', () => run(...pnpm('install', '--frozen-lockfile', '--prefer-offline')));
  }
  const sources = fingerprint([
    ...filesBelow('packages', /\.ts$|tsconfig\.json$/),
    join(root, 'tsconfig.base.json'),
  ]);
  if (
    done.install !== install ||
    done.sources !== sources ||
    !existsSync(join(root, 'packages/cli/dist/main.js'))
  ) {
    step('Building packages', () =>
      run(...pnpm('exec', 'turbo', 'run', 'build:packages', '--output-logs=errors-only')),
    );
  }
  const native = buildNative(done);
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stampFile, JSON.stringify({ install, sources, native }));
}

function checkNode() {
  const wanted = [20, 19];
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return;
  fail(
    `Node ${wanted.join('.')} or newer is needed, this is ${process.versions.node}. Install it from https://nodejs.org.`,
  );
}

/** Builds the addon where that is possible; returns what the stamp should remember. */
function buildNative(done) {
  if (process.env.STATESPACE_SKIP_NATIVE === '1') {
    say('STATESPACE_SKIP_NATIVE=1: using the pure TypeScript kernels (slower).');
    return 'skipped';
  }
  const sources = fingerprint([
    ...filesBelow('native', /\.(cpp|h|txt|json)$/),
    ...['arguments', 'binding', 'c_interface', 'include'].flatMap((folder) =>
      filesBelow(`packages/native-scan/${folder}`, /\.(cc|h)$/),
    ),
    join(root, 'packages/native-scan/CMakeLists.txt'),
  ]);
  if (done.native === sources && existsSync(addonFile)) return sources;
  const missing = missingTool();
  if (missing !== undefined) {
    say(`No native addon: ${missing}. Using the pure TypeScript kernels (slower); everything works.`);
    return 'missing';
  }
  step('Building the native addon', () =>
    run(...pnpm('exec', 'turbo', 'run', 'build:native', '--output-logs=errors-only'), {
      hint: 'Set STATESPACE_SKIP_NATIVE=1 to go on with the pure TypeScript kernels.',
    }),
  );
  return sources;
}

/** What the native build lacks, in words; undefined when nothing. */
function missingTool() {
  if (spawnSync('cmake', ['--version']).status !== 0) return 'CMake was not found';
  const folder = mkdtempSync(join(tmpdir(), 'statespace-'));
  try {
    const probe = join(folder, 'probe.cpp');
    writeFileSync(probe, '#include <concepts>\nstatic_assert(std::integral<int>);\nint main() {}\n');
    const candidates = process.env.CXX === undefined ? ['c++', 'g++', 'clang++'] : [process.env.CXX];
    const works = (compiler) => spawnSync(compiler, ['-std=c++20', '-fsyntax-only', probe]).status === 0;
    return candidates.some(works)
      ? undefined
      : `no C++20 compiler was found (tried ${candidates.join(', ')})`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The command for pnpm in the pinned version: the one on the PATH if it is that, else through npx. */
function pnpm(...args) {
  const version = manifest.packageManager.split('@')[1];
  const found = spawnSync('pnpm', ['--version'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (found.status === 0 && found.stdout.trim() === version) return ['pnpm', args];
  return ['npx', ['--yes', `pnpm@${version}`, ...args]];
}

/** Runs a command quietly; its output is shown only when it fails, and then the process ends. */
function run(command, args, { hint } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    shell: process.platform === 'win32',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', npm_config_loglevel: 'warn' },
  });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status === 0) return;
  process.stderr.write(`\n${result.stdout}${result.stderr}\n`);
  fail(`"${command} ${args.join(' ')}" failed.${hint === undefined ? '' : ` ${hint}`}`);
}

function step(title, action) {
  const start = Date.now();
  process.stderr.write(`${title} ...`);
  action();
  process.stderr.write(` ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(2);
}

function manifests() {
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((name) => join(root, name));
  const members = ['packages', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name)),
  );
  return files.concat(['native', 'bench', ...members].map((folder) => join(root, folder, 'package.json')));
}

function filesBelow(folder, pattern) {
  const skip = new Set(['node_modules', 'dist', 'build', 'fixtures']);
  const files = [];
  const visit = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (!skip.has(entry.name)) visit(path);
      } else if (pattern.test(entry.name)) files.push(path);
    }
  };
  if (existsSync(join(root, folder))) visit(join(root, folder));
  return files;
}

/** A digest of names, sizes and times of change: cheap, and changes with every edit. */
function fingerprint(files) {
  const hash = createHash('sha256').update(process.versions.modules);
  for (const file of files.sort()) {
    if (!existsSync(file)) continue;
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(root, file)}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    // A missing or damaged stamp only means that the steps run again.
    return {};
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  bootstrap();
