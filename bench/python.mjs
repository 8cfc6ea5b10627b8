/** Finds a Python that can import what a peer needs. Peers are optional; a missing one is named. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorLine } from './json-lines.mjs';

const own = fileURLToPath(new URL('.venv/bin/python', import.meta.url));

/** The interpreter: STATESPACE_PYTHON, else bench/.venv, else python3. @throws {Error} when it cannot import `modules`. */
export function findPython(modules) {
  const python = process.env.STATESPACE_PYTHON ?? (existsSync(own) ? own : 'python3');
  const tried = spawnSync(python, ['-c', `import ${modules.join(', ')}`], { encoding: 'utf8' });
  if (tried.status !== 0) {
    throw new Error(
      `${python} cannot import ${modules.join(', ')} (${tried.error?.message ?? errorLine(tried.stderr)}). ` +
        'Make an environment for the peers: python3 -m venv bench/.venv && ' +
        'bench/.venv/bin/pip install -r bench/peers/requirements.txt',
    );
  }
  return python;
}
