/** `pnpm bench`: kernels against the machine's limits and against other libraries; see `--help`. */
import { fileURLToPath } from 'node:url';
import { getBackendInfo } from '@statespace/native-scan';
import { measureLimits } from './limits-run.mjs';
import { describeMachine } from './machine.mjs';
import { buildPrograms } from './native-programs.mjs';
import { readOptions, UsageError, usage } from './options.mjs';
import { measurePeers } from './peers/index.mjs';
import { missedTargets, reportMarkdown, saveReport } from './report.mjs';

const resultsFolder = fileURLToPath(new URL('results', import.meta.url));

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const progress = (text) => process.stderr.write(`${text} ...\n`);
  const isas = measuredIsas();
  const machine = describeMachine();
  const { threads, chosen, peers: wantedPeers } = options;
  progress('building the programs that measure');
  buildPrograms(chosen);
  const limits = measureLimits({ threads, isas, chosen, machine, progress });
  const peers =
    chosen.cases.length === 0
      ? undefined
      : measurePeers({ threads, names: chosen.cases, peers: wantedPeers, progress });
  const result = { date: new Date().toISOString(), machine, threads, ...limits, peers };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  } else {
    process.stdout.write(`${reportMarkdown(result)}\n`);
  }
  if (!options.check || options.output !== undefined) {
    const files = await saveReport(result, options.output ?? resultsFolder);
    process.stderr.write(`Saved ${files.join(', ')}\n`);
  }
  return complain(result);
}

/** The widest instruction set of this machine, and AVX2 beside AVX-512. @throws {Error} without the native addon. */
function measuredIsas() {
  const { backend, isa, isas, reasons } = getBackendInfo();
  if (backend !== 'cpu') {
    throw new Error(`There is nothing to measure without the native backend: ${reasons.cpu}.`);
  }
  return isa === 'avx512' && isas.includes('avx2') ? [isa, 'avx2'] : [isa];
}

/** Names what is missed on stderr; the exit code. */
function complain(result) {
  const { busyProbes, missed } = missedTargets(result);
  for (const { probe, rate, known, unit } of busyProbes) {
    console.error(
      `Probe ${probe}: ${rate.toFixed(1)} ${unit}, this CPU reaches ${known.toFixed(1)}. The machine is busy: measure again.`,
    );
  }
  for (const row of missed) {
    const sign = row.most ? 'at most' : 'at least';
    console.error(
      `Missed: ${row.name}${row.isa ? ` (${row.isa})` : ''}: ${row.value.toFixed(3)}, ${sign} ${row.wanted.toFixed(3)} wanted.`,
    );
  }
  return busyProbes.length + missed.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(
    error instanceof UsageError ? `${error.message}\nSee pnpm bench --help.` : `pnpm bench: ${error.message}`,
  );
  process.exitCode = 2;
}
