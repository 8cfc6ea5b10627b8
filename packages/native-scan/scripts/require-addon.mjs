/** Before a platform package is packed: refuses one without its binary, with half of it, or with another platform's. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addonFileProblem } from '../dist/addon-file.js';

const { name, os, cpu } = JSON.parse(readFileSync('package.json', 'utf8'));
const wanted = `${os[0]}-${cpu[0]}`;

function fail(message) {
  process.stderr.write(`${name}: ${message}\n`);
  process.exit(1);
}

let problem;
try {
  problem = addonFileProblem(join(process.cwd(), 'statespace.node'), wanted);
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
  fail(
    'statespace.node is not there. Build it on that platform (npm run build); a package without it is not published.',
  );
}
if (problem?.builtFor !== undefined)
  fail(`statespace.node is for ${problem.builtFor}, the package is for ${wanted}.`);
if (problem !== undefined) fail(`statespace.node is ${problem.error}.`);
