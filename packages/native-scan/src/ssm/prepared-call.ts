/** A checked call that waits to run, now or on a worker thread. */
import type { AsyncNativeKernel, NativeKernel } from '../addon.js';
import type { NativeCall } from '../native-call.js';

export interface PreparedCall {
  readonly call: NativeCall;
  readonly sync: NativeKernel;
  readonly async: AsyncNativeKernel;
  /** Throws a message that names the entry at fault, where the addon can only say that there is one. */
  readonly explain?: () => void;
}

export function runNow({ call, sync, explain }: PreparedCall): void {
  call.run(sync, explain);
}

export function runOnWorker(
  { call, async, explain }: PreparedCall,
  signal: AbortSignal | undefined,
): Promise<void> {
  return call.runAsync(async, signal, explain);
}
