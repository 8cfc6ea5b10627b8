/** The C++ programs that measure the machine's limits and matrix products: built here, run as processes. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runJsonLines } from './json-lines.mjs';

const native = fileURLToPath(new URL('../native', import.meta.url));

/** Builds those that `chosen` needs, the probes always. @throws {Error} with the compiler's words. */
export function buildPrograms({ products, featuresOff }) {
  const targets = ['bench_probes'];
  if (products.length > 0) targets.push('bench_gemm');
  if (featuresOff.length > 0) targets.push('bench_features_off');
  run('cmake', ['--preset', 'cpu'], native);
  run('cmake', ['--build', '--preset', 'cpu', '--parallel', '2', '--target', ...targets], native);
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

/** What one of them prints. */
export function runProgram(name, args, { threads, isa }) {
  return runJsonLines(`${native}/build/cpu/bench/bench_${name}`, args, settings(threads, isa));
}

/** What one of bench/'s own measurements prints, in a Node process of its own. */
export function runMeasurement(name, args, { threads, isa }) {
  const script = fileURLToPath(new URL(`measure-${name}.mjs`, import.meta.url));
  return runJsonLines(process.execPath, [script, String(threads), ...args], settings(threads, isa));
}

const settings = (threads, isa) => ({ STATESPACE_THREADS: String(threads), STATESPACE_ISA: isa });
