/** Ctrl-C: the first asks the work to stop at the next safe point, the second quits at once. */
import { exitCode } from './exit-codes.js';
import type { Terminal } from './terminal.js';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** One Ctrl-C may arrive twice: from the terminal, and forwarded by npm. */
const samePressMs = 500;

/** Runs `work` with a signal that fires on the first SIGINT or SIGTERM. */
export async function interruptible<T>(
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - first > samePressMs) process.exit(exitCode.interrupted);
      return;
    }
    first = performance.now();
    terminal.note('Stopping after this step; press Ctrl-C again to quit at once.');
    controller.abort(new Error('interrupted'));
  };
  for (const name of signals) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of signals) process.off(name, onSignal);
  }
}
