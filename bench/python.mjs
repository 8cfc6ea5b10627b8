/** Finds a Python that can import what a peer needs. Peers are optional; a missing one is named. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const own = fileURLToPath(new URL('.venv/bin/python', import.meta.url));

/** The interpreter: STATESPACE_PYTHON, else bench/.venv, else python3. Throws when `modules` cannot be imported. */
export function findPython(modules) {
  const python = process.env.STATESPACE_PYTHON ?? (existsSync(own) ? own : 'python3');
  try {
    execFileSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'pipe' });
  } catch (cause) {
    throw new Error(
      `${python} cannot import ${modules.join(', ')}. Make an environment for the peers: ` +
        'python3 -m venv bench/.venv && bench/.venv/bin/pip install -r bench/peers/requirements.txt',
      { cause },
    );
  }
  return python;
}

/** Runs a peer's script and parses the JSON object on its last line. */
export function runPeer(python, script, args) {
  const path = fileURLToPath(new URL(`peers/${script}`, import.meta.url));
  const output = execFileSync(python, [path, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return JSON.parse(output.trim().split('\n').at(-1));
}
