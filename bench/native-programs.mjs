/** The C++ programs that measure the machine's limits and matrix products: built here, run as processes. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const native = fileURLToPath(new URL('../native', import.meta.url));

/** Builds `bench_probes` and `bench_gemm`. @throws {Error} with the compiler's words. */
export function buildPrograms() {
  run('cmake', ['--preset', 'cpu'], native);
  run(
    'cmake',
    ['--build', '--preset', 'cpu', '--parallel', '2', '--target', 'bench_probes', 'bench_gemm'],
    native,
  );
}

function run(command, args, cwd) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error?.code === 'ENOENT') {
    throw new Error(
      `${command} was not found. The machine's limits are measured by a C++ program: install CMake and a C++20 compiler.`,
    );
  }
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`"${command} ${args.join(' ')}" failed in native/:\n${result.stdout}${result.stderr}`);
  }
}

/** Runs one of them and parses a JSON object from each line of its output. */
export function runProgram(name, args, { threads, isa }) {
  return runLines(`${native}/build/cpu/bench/bench_${name}`, args, { threads, isa });
}

/** Runs one of bench/'s own measurements in a Node process of its own. */
export function runMeasurement(name, args, { threads, isa }) {
  const script = fileURLToPath(new URL(`measure-${name}.mjs`, import.meta.url));
  return runLines(process.execPath, [script, String(threads), ...args], { threads, isa });
}

function runLines(command, args, { threads, isa }) {
  const env = { ...process.env, STATESPACE_THREADS: String(threads), STATESPACE_ISA: isa };
  // These make peers' libraries take another machine for this one.
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  const result = spawnSync(command, args, {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (result.error) throw result.error;
  if (result.signal !== null) throw new Error(`${command} was ended by ${result.signal}`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${result.status}`);
  return result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}
