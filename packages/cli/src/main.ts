#!/usr/bin/env node
/** The executable `statespace`. */
import { runCli } from './cli.js';

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader went away, as `head` does: the work goes on, and ends with its own exit code.
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
