/** The command line in this process, with what it wrote. */
import { runCli } from '../cli.js';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `args` as `statespace` would. */
export async function captureCli(...args: string[]): Promise<CliResult> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const before = process.exitCode;
  const code = await runCli(args, { stdout: stream('stdout'), stderr: stream('stderr') });
  process.exitCode = before;
  return { code, ...written };
}
