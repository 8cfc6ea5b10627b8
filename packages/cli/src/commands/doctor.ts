/** `statespace doctor`: what this machine can do, and why not more. */
import { cacheFolder } from '@statespace/datasets';
import { describeEnvironment } from '@statespace/experiments';
import { type BackendInfo, getBackendInfo, getDefaultDevice } from '@statespace/tensor';
import type { Command } from 'commander';
import { formatBytes } from '../number-format.js';
import type { Terminal } from '../terminal.js';

const examples = `
Examples:
  $ statespace doctor
  $ STATESPACE_BACKEND=reference statespace doctor
  $ statespace doctor --json

Environment: STATESPACE_BACKEND=reference|cpu|cuda, STATESPACE_ISA=sse2|avx2|avx512, STATESPACE_THREADS=<n>,
STATESPACE_CACHE=<folder>, HTTPS_PROXY.`;

export function addDoctorCommand(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('show the backend that was chosen, why not another, and the machine')
    .addHelpText('after', examples)
    .action(() => {
      const backend = getBackendInfo();
      const environment = describeEnvironment(getDefaultDevice());
      terminal.printJson({ backend, environment, cache: cacheFolder() });
      for (const [name, value] of [...backendLines(backend), ...machineLines(environment)]) {
        terminal.print(`${name.padEnd(12)} ${value}`);
      }
    });
}

function backendLines({
  backend,
  isa,
  isas,
  threads,
  version,
  reasons,
  attempts,
}: BackendInfo): [string, string][] {
  const kernels =
    isa === undefined ? 'TypeScript, float64 inside' : `native, ${isa} (can also use ${isas.join(', ')})`;
  return [
    ['backend', `${backend}: ${kernels}`],
    ['threads', String(threads)],
    ['kernels', `version ${version}`],
    ...Object.entries(reasons).map(([name, why]): [string, string] => [`not ${name}`, why]),
    ...attempts.map(({ source, error }): [string, string] => ['addon', `${source}: ${error ?? 'loaded'}`]),
  ];
}

function machineLines(environment: ReturnType<typeof describeEnvironment>): [string, string][] {
  const { node, platform, arch, osRelease, cpu, cores, memoryBytes, commit } = environment;
  return [
    ['node', node],
    ['system', `${platform} ${arch}, ${osRelease}`],
    ['cpu', `${cpu}, ${cores} cores usable`],
    ['memory', formatBytes(memoryBytes)],
    ['cache', cacheFolder()],
    ...(commit === undefined ? [] : [['commit', commit] as [string, string]]),
  ];
}
