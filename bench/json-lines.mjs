/** Programs that print their measurements as JSON, one object a line. */
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';

/** These make a peer's library take another machine for this one. */
const misleading = ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'];

/**
 * Runs a program to its end and parses every line of its output that begins an object; `environment` adds to ours.
 * @throws {Error} with the program's own words when it fails.
 */
export function runJsonLines(command, args, environment = {}) {
  const env = { ...process.env, ...environment };
  for (const name of misleading) delete env[name];
  const result = spawnSync(command, args, { env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    const end = result.signal ?? `code ${result.status}`;
    const name = [command, ...args].map((word) => basename(word)).join(' ');
    throw new Error(`"${name}" ended with ${end}: ${errorLine(result.stderr)}`);
  }
  return result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

/** The line of a program's complaint that names the error: Python's is the last, Node's stands above its stack. */
export function errorLine(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return (
    lines.findLast((line) => /^\S*(Error|Exception)\b/.test(line)) ??
    lines.at(-1) ??
    'no message'
  ).trim();
}
