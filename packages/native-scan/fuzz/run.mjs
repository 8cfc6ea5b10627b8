/**
 * Fuzzes the package in a child process: `node fuzz/run.mjs [--cases N] [--seed S]`. Exit code 0: every case ended as
 * promised. A failed case is printed with its seed, as small as fast-check could make it; after a crash, the case that was
 * running is printed as it was.
 */
import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setNumThreads } from '@statespace/native-scan';
import fc from 'fast-check';
import { publicCase, runPublic } from './public-calls.mjs';
import { rawCase, recordTemplates, runRaw } from './raw-calls.mjs';
import { endWorkersInMidCall } from './workers.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    journal: { type: 'string' },
  },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed)) {
  console.error('--cases and --seed take integers');
  process.exit(2);
}

if (values.journal === undefined) process.exit(await superviseChild());
await fuzz(values.journal);

/** Runs this file again as a child, and says what was running if it dies. */
async function superviseChild() {
  const folder = mkdtempSync(join(tmpdir(), 'statespace-fuzz-'));
  const journal = join(folder, 'journal');
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), '--cases', values.cases, '--seed', values.seed, '--journal', journal],
    { stdio: 'inherit' },
  );
  const [code, signal] = await new Promise((resolve) => child.on('exit', (...ends) => resolve(ends)));
  if (signal !== null)
    console.error(
      `the process died of ${signal}; seed ${seed}; it was running\n${readFileSync(journal, 'utf8')}`,
    );
  rmSync(folder, { recursive: true });
  return signal === null ? code : 1;
}

async function fuzz(journal) {
  // Rejections of calls that were disturbed and not waited for would end the process before they are judged.
  process.on('unhandledRejection', (error) => {
    throw error;
  });
  const file = openSync(journal, 'w');
  const note = (what) => {
    const text = JSON.stringify(what, (_, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
    );
    ftruncateSync(file);
    writeSync(file, text, 0);
  };
  setNumThreads(2);
  const publicCases = Math.ceil(cases * 0.3);
  await check('public calls', publicCase, runPublic, publicCases, note);
  const templates = await recordTemplates(400, seed);
  await check(
    'raw calls',
    rawCase(templates),
    (drawn) => runRaw(templates, drawn),
    cases - publicCases,
    note,
  );
  note('worker threads ended in mid call');
  await endWorkersInMidCall(8);
  closeSync(file);
  console.log(`${cases} cases, seed ${seed}: all ended in a result or a promised error`);
}

async function check(what, arbitrary, run, count, note) {
  const started = Date.now();
  let accepted = 0;
  const property = fc.asyncProperty(arbitrary, async (drawn) => {
    note(drawn);
    if (await run(drawn)) accepted++;
  });
  const report = await fc.check(property, { numRuns: count, seed });
  if (report.failed) {
    console.error(fc.defaultReportMessage(report));
    console.error(report.errorInstance?.stack ?? report.error);
    if (report.errorInstance?.cause !== undefined) console.error('cause:', report.errorInstance.cause);
    process.exit(1);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${what}: ${count} cases in ${seconds} s, ${accepted} done and ${count - accepted} refused`);
}
