/** `statespace doctor`: what this machine can do, and why not more. */
import { availableParallelism, cpus, release, totalmem } from 'node:os';
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
      const machine = machineLines();
      let backend: BackendInfo;
      try {
        backend = getBackendInfo();
      } catch (error) {
        // What was asked for cannot be had: the error says why, the rest is still worth seeing.
        for (const line of machine) terminal.print(line);
        throw error;
      }
      const environment = describeEnvironment(getDefaultDevice());
      terminal.printJson({ backend, environment, cache: cacheFolder() });
      const commit = environment.commit === undefined ? [] : [row('commit', environment.commit)];
      for (const line of [...backendLines(backend), ...machine, ...commit]) terminal.print(line);
    });
}

function row(name: string, value: string): string {
  return `${name.padEnd(14)} ${value}`;
}

function backendLines(info: BackendInfo): string[] {
  const { backend, isa, isas, threads, version, reasons, attempts } = info;
  const lower = isas.filter((name) => name !== isa);
  const native = `native, ${isa}${lower.length > 0 ? ` (STATESPACE_ISA can be ${lower.join(', ')} too)` : ''}`;
  return [
    row('backend', `${backend}: ${backend === 'cpu' ? native : 'TypeScript, float64 inside'}`),
    row('threads', String(backend === 'cpu' ? threads : 1)),
    row('kernels', `version ${version}`),
    ...Object.entries(reasons).map(([name, why]) => row(`not ${name}`, why)),
    ...attempts.map(({ source, error }) => row('addon', `${source}: ${error ?? 'loaded'}`)),
  ];
}

function machineLines(): string[] {
  const { version, platform, arch } = process;
  return [
    row('node', version),
    row('system', `${platform} ${arch}, ${release()}`),
    row('cpu', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores usable`),
    row('memory', formatBytes(totalmem())),
    row('cache', cacheFolder()),
  ];
}
