/**
 * Compiles the CUDA kernels with nvcc, warnings as errors, and holds registers and spilled bytes of each kernel against
 * native/cuda/budget.json. `node scripts/cuda-budget.mjs [--write]`; exits 1 where a kernel exceeds its budget. With --write the budgets become
 * what was measured.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = fileURLToPath(new URL('../native/cuda', import.meta.url));
const budgetFile = join(folder, 'budget.json');
const exec = promisify(execFile);

/** The devices that are compiled for ahead of time, and the intermediate code for those to come. */
const devices = ['-gencode=arch=compute_80,code=sm_80', '-gencode=arch=compute_90,code=[sm_90,compute_90]'];
const flags = [
  '-std=c++20',
  '-O3',
  '-I.',
  '-I../include',
  '-I../common',
  '-Werror=all-warnings',
  '-Xptxas=-v',
];
const hostFlags = '-Xcompiler=-Wall,-Wextra,-Werror,-fno-exceptions,-fno-rtti';

/** Whether nvcc is on the path. */
export async function hasNvcc() {
  return exec('nvcc', ['--version']).then(
    () => true,
    () => false,
  );
}

/**
 * What each kernel takes: the largest of its template's instances, over all devices.
 * @returns {Promise<Map<string, { registers: number, spillBytes: number }>>}
 * @throws where a file does not compile without a warning; the message is the compiler's.
 */
export async function measureKernels() {
  const objects = await mkdtemp(join(tmpdir(), 'statespace-cuda-'));
  try {
    const sources = (await readdir(folder)).filter((name) => name.endsWith('.cu'));
    const kernels = new Map();
    const compile = async () => {
      for (let source = sources.pop(); source !== undefined; source = sources.pop()) {
        const output = ['-c', source, '-o', join(objects, `${source}.o`)];
        const { stderr, stdout } = await exec('nvcc', [...flags, hostFlags, ...devices, ...output], {
          cwd: folder,
          maxBuffer: 1 << 26,
        });
        readReport(`${stdout}\n${stderr}`, kernels);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, compile));
    return kernels;
  } finally {
    await rm(objects, { recursive: true, force: true });
  }
}

/** Adds the kernels of one report of `ptxas -v` to `kernels`. */
function readReport(report, kernels) {
  let name;
  let spillBytes = 0;
  for (const line of report.split('\n')) {
    const entry = /Compiling entry function '(\w+)'/.exec(line);
    if (entry) name = kernelName(entry[1]);
    const spill = /(\d+) bytes spill stores/.exec(line);
    if (spill) spillBytes = Number(spill[1]);
    const used = /Used (\d+) registers/.exec(line);
    if (!used || name === undefined) continue;
    const before = kernels.get(name) ?? { registers: 0, spillBytes: 0 };
    kernels.set(name, {
      registers: Math.max(before.registers, Number(used[1])),
      spillBytes: Math.max(before.spillBytes, spillBytes),
    });
    name = undefined;
  }
}

/**
 * The function's own name, of the mangled one: the name that stands behind its length and ends in `_kernel`. The shortest,
 * since digits of other parts can look like a length before it.
 */
function kernelName(mangled) {
  const names = [...mangled.matchAll(/(?=(\d{1,3})([a-z]\w*))/g)]
    .map(([, length, rest]) => rest.slice(0, Number(length)))
    .filter((text) => text.endsWith('_kernel'));
  if (names.length === 0) throw new Error(`cuda-budget: the kernel '${mangled}' is not called ..._kernel`);
  return names.reduce((shortest, name) => (name.length < shortest.length ? name : shortest));
}

/** Lines that say which kernels exceed their budgets, or have none, and which budgets nobody uses. */
export async function exceededBudgets(kernels) {
  const budgets = JSON.parse(await readFile(budgetFile, 'utf8'));
  const lines = [];
  for (const [name, used] of kernels) {
    const budget = budgets[name];
    if (budget === undefined) {
      lines.push(`${name}: has no budget in native/cuda/budget.json`);
      continue;
    }
    for (const unit of ['registers', 'spillBytes']) {
      if (used[unit] > budget[unit]) lines.push(`${name}: ${used[unit]} ${unit}, budget ${budget[unit]}`);
    }
  }
  for (const name of Object.keys(budgets)) {
    if (!kernels.has(name)) lines.push(`${name}: has a budget, but there is no such kernel`);
  }
  return lines;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kernels = await measureKernels();
  const rows = [...kernels].sort(([a], [b]) => a.localeCompare(b));
  for (const [name, used] of rows) {
    console.log(`${name}: ${used.registers} registers, ${used.spillBytes} bytes spilled`);
  }
  if (process.argv.includes('--write')) {
    const text = rows.map(
      ([name, used]) => `  "${name}": { "registers": ${used.registers}, "spillBytes": ${used.spillBytes} }`,
    );
    await writeFile(budgetFile, `{\n${text.join(',\n')}\n}\n`);
  }
  const lines = await exceededBudgets(kernels);
  for (const line of lines) console.error(line);
  process.exitCode = lines.length > 0 ? 1 : 0;
}
