import { afterEach, expect, test, vi } from 'vitest';
import { interruptible } from './interrupt.js';
import { Terminal } from './terminal.js';

const silent = { write: () => {} };
const terminal = new Terminal({ stdout: silent, stderr: silent });

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Sends SIGINT at the given times (ms) and tells when the work was asked to stop and when the process quit. */
async function press(...times: number[]): Promise<{ aborted: boolean; exits: unknown[] }> {
  vi.useFakeTimers({ toFake: ['performance'] });
  const exits: unknown[] = [];
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    exits.push(code);
    return undefined as never;
  });
  const start = performance.now();
  const aborted = await interruptible(terminal, async (signal) => {
    for (const time of times) {
      vi.advanceTimersByTime(time - (performance.now() - start));
      process.emit('SIGINT');
    }
    return signal.aborted;
  });
  return { aborted, exits };
}

test('the first Ctrl-C asks to stop', async () => {
  expect(await press(100)).toEqual({ aborted: true, exits: [] });
});

test('the same press, forwarded by npm, does not count twice', async () => {
  expect(await press(100, 120)).toEqual({ aborted: true, exits: [] });
});

test('a second press quits at once', async () => {
  expect(await press(100, 1500)).toEqual({ aborted: true, exits: [130] });
});

test('nothing is left behind', async () => {
  const before = process.listenerCount('SIGINT');
  await press();
  expect(process.listenerCount('SIGINT')).toBe(before);
});
