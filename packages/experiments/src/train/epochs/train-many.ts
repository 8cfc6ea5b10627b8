/**
 * Many short trainings on one machine. A small model keeps one thread busy better than two, so that trainings side by
 * side, each in a process of its own, end sooner than one after the other; the numbers are the same.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AbortedError, StatespaceError } from '@statespace/ssd-core';
import type { TrainConfig } from '../../config/train-config.js';
import { DataShelf } from './data-shelf.js';
import { type EpochResult, type EpochTraining, trainEpochs } from './train-epochs.js';
import type { TrainAnswer, TrainRequest } from './training-messages.js';

export interface TrainManyOptions {
  readonly device: string;
  /** CPU threads in all; on the CPU as many trainings go on at once as there are threads and trainings. */
  readonly threads: number;
  readonly signal: AbortSignal;
  /** Called after every epoch, with the position of the training in the list. */
  readonly onEpoch?: (index: number, result: EpochResult) => void;
  /** Called as each training ends, in the order in which they end; awaited before its process goes on. */
  readonly onDone: (index: number, training: EpochTraining) => Promise<void> | void;
  /** Main module of the training processes; for tests that run from the sources. */
  readonly workerFile?: string;
}

/**
 * Trains every configuration. The first failure, or the signal, stops all of them.
 * @throws {AbortedError} when the signal fires; what `onDone` was called for is done. @throws {StatespaceError} as `trainEpochs`.
 */
export async function trainMany(configs: readonly TrainConfig[], options: TrainManyOptions): Promise<void> {
  if (options.signal.aborted) throw new AbortedError({ op: 'train', cause: options.signal.reason });
  const side = options.device === 'cpu' ? Math.min(options.threads, configs.length) : 1;
  const waiting = [...configs.entries()];
  if (side > 1) await sideBySide(waiting, side, options);
  else await oneByOne(waiting, options);
}

type Waiting = [index: number, config: TrainConfig][];

async function oneByOne(waiting: Waiting, options: TrainManyOptions): Promise<void> {
  const { device, signal, onEpoch, onDone } = options;
  const shelf = new DataShelf();
  for (const [index, config] of waiting) {
    const data = await shelf.load(config);
    const training = await trainEpochs(config, data, {
      device,
      signal,
      onEpoch: (result) => onEpoch?.(index, result),
    });
    await onDone(index, training);
  }
}

async function sideBySide(waiting: Waiting, side: number, options: TrainManyOptions): Promise<void> {
  const { device, signal, onEpoch, onDone } = options;
  const threads = Math.max(1, Math.floor(options.threads / side));
  const file = options.workerFile ?? fileURLToPath(new URL('./training-worker.js', import.meta.url));
  const children = Array.from({ length: side }, () =>
    fork(file, [], { execArgv: [], serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'] }),
  );
  let failure: unknown;
  // Nothing is lost with a training process: it writes no file.
  const stop = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  const keepBusy = async (child: ChildProcess): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && failure === undefined; next = waiting.shift()) {
      const [index, config] = next;
      const request = { config, device, threads };
      const training = await askFor(child, request, (result) => onEpoch?.(index, result));
      await onDone(index, training);
    }
  };
  signal.addEventListener('abort', stop);
  const lanes = children.map((child) =>
    keepBusy(child).catch((error: unknown) => {
      failure ??= error;
      stop();
    }),
  );
  await Promise.all(lanes);
  signal.removeEventListener('abort', stop);
  stop();
  if (signal.aborted && failure !== undefined) throw new AbortedError({ op: 'train', cause: signal.reason });
  if (failure !== undefined) throw failure;
}

/** Has `child` train, and waits for the result. */
function askFor(
  child: ChildProcess,
  request: TrainRequest,
  onEpoch: (result: EpochResult) => void,
): Promise<EpochTraining> {
  return new Promise<EpochTraining>((resolve, reject) => {
    const settle = (act: () => void): void => {
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      act();
    };
    const onMessage = (message: unknown): void => {
      const answer = message as TrainAnswer;
      if (answer.type === 'epoch') onEpoch(answer.result);
      else if (answer.type === 'done') settle(() => resolve(answer.training));
      else settle(() => reject(failureOf(answer.message, answer.code)));
    };
    const onExit = (code: number | null, signal: string | null): void =>
      settle(() => reject(failureOf(`an end by ${signal ?? `exit code ${code}`}`)));
    const onError = (error: Error): void => settle(() => reject(failureOf(error.message)));
    child.on('message', onMessage).on('exit', onExit).on('error', onError);
    if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode, child.signalCode);
    else child.send(request);
  });
}

function failureOf(got: string, code: StatespaceError['code'] = 'ERR_IO'): StatespaceError {
  return new StatespaceError(code, {
    op: 'train',
    argument: 'a training process',
    wanted: 'its result',
    got,
  });
}
