/** The command line of `pnpm bench`. */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { peerNames } from './peers/index.mjs';
import { choose } from './selection.mjs';

export const usage = `Usage: pnpm bench [options]

Measures every kernel against the limits of this machine, which it measures in the same run, and against
other libraries side by side. Needs CMake and a C++ compiler for the limits.

  --check            the native side alone, in about a minute; names every target that is missed
  --threads N        threads of the kernels and of the peers (default: the CPUs there are, here ${availableParallelism()})
  --only TEXT        only what has this in its name, or in that of its group: "selective scan", "bf16", "gemm",
                     "kernels", "matrix products", "features", "features switched off", "long sequences"
  --peers LIST       peers to measure, separated by commas: ${peerNames.join(', ')}
                     (default: all that are installed; "none" for none)
  --output FOLDER    where benchmarks.json, benchmarks.md and the figures go (default: bench/results)
  --json             print the results as JSON instead of tables
  --help             this text

Exit code: 0 where every target is met and the machine was not busy, 1 where not, 2 where nothing could be measured.

Examples:
  pnpm bench --check
  pnpm bench --check --only "selective scan"
  pnpm bench --peers torch,jax --output results
`;

/** A command line that cannot be followed. */
export class UsageError extends Error {}

/** @throws {UsageError} */
export function readOptions(args) {
  const values = parse(args);
  const threads = values.threads === undefined ? availableParallelism() : Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError(`--threads: expected an integer of 1 or more, got "${values.threads}".`);
  }
  const peers = values.check ? [] : wantedPeers(values.peers);
  return {
    check: values.check,
    threads,
    chosen: chosenBy(values.only, peers),
    peers,
    output: values.output,
    json: values.json,
    help: values.help,
  };
}

function parse(args) {
  try {
    const { values } = parseArgs({
      // "pnpm bench -- --check" brings the dashes along.
      args: args[0] === '--' ? args.slice(1) : args,
      options: {
        check: { type: 'boolean', default: false },
        threads: { type: 'string' },
        only: { type: 'string' },
        peers: { type: 'string' },
        output: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.check && values.peers !== undefined) {
      throw new UsageError('--check measures no peers: leave --peers out.');
    }
    return values;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/** Cases only where there is somebody to measure beside. */
function chosenBy(only, peers) {
  const { cases, ...limits } = choose(only ?? '');
  const chosen = { ...limits, cases: peers.length > 0 ? cases : [] };
  if (Object.values(chosen).every((names) => names.length === 0)) {
    throw new UsageError(`--only: nothing has "${only}" in its name.`);
  }
  return chosen;
}

function wantedPeers(list) {
  if (list === undefined) return peerNames;
  if (list === 'none') return [];
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !peerNames.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--peers: there is no "${unknown}"; it takes ${peerNames.join(', ')} or none.`);
  }
  return names;
}
