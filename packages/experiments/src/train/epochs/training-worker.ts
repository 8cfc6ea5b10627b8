/** The main module of a process that trains what it is told, one after the other, and writes nothing itself. */
import { StatespaceError } from '@statespace/ssd-core';
import { setDefaultDevice, setNumThreads } from '@statespace/tensor';
import { DataShelf } from './data-shelf.js';
import { trainEpochs } from './train-epochs.js';
import type { TrainAnswer, TrainRequest } from './training-messages.js';

const shelf = new DataShelf();

async function work({ config, device, threads }: TrainRequest): Promise<void> {
  try {
    setDefaultDevice(device);
    if (device === 'cpu') setNumThreads(threads);
    const data = await shelf.load(config);
    const training = await trainEpochs(config, data, {
      device,
      onEpoch: (result) => answer({ type: 'epoch', result }),
    });
    answer({ type: 'done', training });
  } catch (error) {
    const code = error instanceof StatespaceError ? { code: error.code } : {};
    answer({ type: 'failed', message: error instanceof Error ? error.message : String(error), ...code });
  }
}

function answer(message: TrainAnswer): void {
  process.send?.(message);
}

// A terminal sends Ctrl-C to the whole group; the process that planned the work decides what it means.
process.on('SIGINT', () => {});
// Without that process there is nobody to work for.
process.on('disconnect', () => process.exit());
process.on('message', (request) => void work(request as TrainRequest));
