#!/usr/bin/env node
/** The executable `statespace`. */
import { runCli } from './cli.js';
import { exitCode } from './exit-codes.js';

let lost = false;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whatever becomes of what is said, the work goes on. A reader that went away, as `head` does, is no failure;
    // a result that did not reach its file is one.
    if (error.code === 'EPIPE' || stream === process.stderr) return;
    if (!lost) process.stderr.write(`error: standard output was not written: ${error.message}\n`);
    lost = true;
  });
}

const code = await runCli(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
// Streams tell of a failed write only after it.
await new Promise((resolve) => setImmediate(resolve));
process.exitCode = lost && code === exitCode.ok ? exitCode.failed : code;
