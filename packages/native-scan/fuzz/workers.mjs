/** Worker threads that end while their calls run, or with buffers that were handed to them. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createDeviceBuffer, selectiveScanAsync, selectiveScanBackwardAsync } from '@statespace/native-scan';

const [B, L, D, N] = [2, 400, 64, 16];

function inputs(memory) {
  const tensor = (shape, value) => ({ data: memory(shape.reduce((a, b) => a * b, 1)).fill(value), shape });
  return {
    u: tensor([B, L, D], 0.5),
    delta: tensor([B, L, D], 0.1),
    A: tensor([D, N], -1),
    B: tensor([B, L, N], 1),
    C: tensor([B, L, N], 1),
  };
}

/** Starts `count` workers, waits until each is in the middle of calls, and ends them. */
export async function endWorkersInMidCall(count) {
  for (let i = 0; i < count; i++) {
    const resizable = new ArrayBuffer(4 * B * L * D, { maxByteLength: 8 * B * L * D });
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { kind: i % 3, resizable },
      transferList: [resizable],
    });
    await once(worker, 'message');
    await worker.terminate();
  }
}

if (!isMainThread && workerData?.resizable !== undefined) {
  const { kind, resizable } = workerData;
  const plain = inputs((count) => new Float32Array(count));
  const native = inputs((count) => createDeviceBuffer('f32', count).data);
  const out = { data: new Float32Array(resizable), shape: [B, L, D] };
  const calls = () => [
    selectiveScanAsync({ ...(kind === 0 ? plain : native), out }),
    selectiveScanBackwardAsync({ ...(kind === 1 ? native : plain), gradOut: plain.u }),
  ];
  for (;;) {
    const running = calls();
    if (kind === 2) resizable.resize(64);
    parentPort.postMessage('running');
    await Promise.allSettled(running);
    if (kind === 2) resizable.resize(4 * B * L * D);
  }
}
