import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { selectiveScanRef, type TensorLike } from '@statespace/ssd-core';
import {
  maxRelativeError,
  randomConvInputs,
  randomDiagonalSsdInputs,
  randomScanInputs,
  randomSource,
  randomSsdInputs,
  randomUpdateInputs,
  toIndexTensor,
} from '@statespace/ssd-core/testing';
import { expect, test } from 'vitest';
import {
  AbortedError,
  causalConv1d,
  causalConv1dAsync,
  causalConv1dBackward,
  causalConv1dBackwardAsync,
  causalConv1dUpdate,
  causalConv1dUpdateAsync,
  createDeviceBuffer,
  diagonalSsd,
  diagonalSsdAsync,
  diagonalSsdBackward,
  diagonalSsdBackwardAsync,
  selectiveScan,
  selectiveScanAsync,
  selectiveScanBackward,
  selectiveScanBackwardAsync,
  selectiveStateUpdate,
  selectiveStateUpdateAsync,
  ssdChunkScan,
  ssdChunkScanAsync,
  ssdChunkScanBackward,
  ssdChunkScanBackwardAsync,
} from '../src/index.js';
import { loadAddon } from '../src/loader.js';
import { cpu, describeNative, inFloat32, nanOutput, narrow } from './support.js';

const scanInputs = (seqLen = 40) => inFloat32(randomScanInputs({ seqLen, dInner: 20, dState: 8 }));
const options = { backend: 'cpu' } as const;
const hash = promisify(pbkdf2);
const used = () => loadAddon().addon?.memoryStats()[0];

/** A tensor in memory shared between threads. */
function shared(tensor: TensorLike): TensorLike & { data: Float32Array } {
  const source = tensor.data as Float32Array;
  const data = new Float32Array(new SharedArrayBuffer(source.byteLength));
  data.set(source);
  return { ...tensor, data };
}

describeNative('asynchronous calls', () => {
  test('give the bits of the synchronous ones', async () => {
    const scan = scanInputs();
    const gradOut = narrow(randomSource(2).normal([2, 40, 20]));
    expect(await selectiveScanAsync({ ...scan, ...options, returnLastState: true })).toEqual(
      selectiveScan({ ...scan, ...options, returnLastState: true }),
    );
    expect(await selectiveScanBackwardAsync({ ...scan, gradOut, ...options })).toEqual(
      selectiveScanBackward({ ...scan, gradOut, ...options }),
    );
    const conv = inFloat32(randomConvInputs({ seqLen: 30, dim: 9 }));
    const convGrad = narrow(randomSource(2).normal([2, 30, 9]));
    expect(await causalConv1dAsync({ ...conv, ...options, returnFinalStates: true })).toEqual(
      causalConv1d({ ...conv, ...options, returnFinalStates: true }),
    );
    expect(await causalConv1dBackwardAsync({ ...conv, gradOut: convGrad, ...options })).toEqual(
      causalConv1dBackward({ ...conv, gradOut: convGrad, ...options }),
    );
    const ssd = inFloat32(randomSsdInputs({ seqLen: 30 }));
    const ssdGrad = narrow(randomSource(2).normal([2, 30, 4, 3]));
    expect(await ssdChunkScanAsync({ ...ssd, ...options, returnFinalStates: true })).toEqual(
      ssdChunkScan({ ...ssd, ...options, returnFinalStates: true }),
    );
    expect(await ssdChunkScanBackwardAsync({ ...ssd, gradOut: ssdGrad, ...options })).toEqual(
      ssdChunkScanBackward({ ...ssd, gradOut: ssdGrad, ...options }),
    );
    const diagonal = inFloat32(randomDiagonalSsdInputs({ seqLen: 30 }));
    expect(await diagonalSsdAsync({ ...diagonal, ...options, returnFinalStates: true })).toEqual(
      diagonalSsd({ ...diagonal, ...options, returnFinalStates: true }),
    );
    expect(await diagonalSsdBackwardAsync({ ...diagonal, gradOut: ssdGrad, ...options })).toEqual(
      diagonalSsdBackward({ ...diagonal, gradOut: ssdGrad, ...options }),
    );
  });

  test('updates copy the state in and out', async () => {
    const step = () => inFloat32(randomUpdateInputs({ batch: 3 }));
    const ours = step();
    const wanted = step();
    const { out } = await selectiveStateUpdateAsync({ ...ours, ...options });
    expect(out).toEqual(selectiveStateUpdate({ ...wanted, ...options }).out);
    expect(ours.state).toEqual(wanted.state);

    const source = randomSource(4);
    const conv = { x: narrow(source.normal([2, 6])), weight: narrow(source.normal([6, 4])) };
    const state = source.normal([3, 6, 5]);
    const [first, second] = [narrow(state), narrow(state)];
    const convStateIndices = toIndexTensor([2, 0]);
    expect(
      await causalConv1dUpdateAsync({ ...conv, convState: first, convStateIndices, ...options }),
    ).toEqual(causalConv1dUpdate({ ...conv, convState: second, convStateIndices, ...options }));
    expect(first).toEqual(second);
  });

  test('ordinary arrays may change, be detached or shrink once the call has begun', async () => {
    const inputs = scanInputs(400);
    const wanted = selectiveScan({ ...inputs, ...options }).out.data;
    const promise = selectiveScanAsync({ ...inputs, ...options });
    for (const tensor of Object.values(inputs)) {
      if (typeof tensor !== 'object') continue;
      const { buffer } = tensor.data as unknown as Float32Array;
      structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    }
    expect((await promise).out.data).toEqual(wanted);
  });

  test('an output that is detached meanwhile is an error, not a crash', async () => {
    const out = nanOutput([2, 40, 20]);
    const promise = selectiveScanAsync({ ...scanInputs(), ...options, out });
    structuredClone(out.data.buffer, { transfer: [out.data.buffer as ArrayBuffer] });
    await expect(promise).rejects.toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });

  test('shared memory is worked on in place', async () => {
    const inputs = scanInputs();
    const wanted = selectiveScan({ ...inputs, ...options }).out.data;
    const views = Object.entries(inputs).map(([key, value]) =>
      typeof value === 'object' ? [key, shared(value)] : [key, value],
    );
    const out = shared(nanOutput([2, 40, 20]));
    const result = await selectiveScanAsync({ ...Object.fromEntries(views), ...options, out });
    expect(result.out.data).toBe(out.data);
    expect(out.data).toEqual(wanted);
  });

  test('a DeviceBuffer disposed during the call lives until it ends', async () => {
    const inputs = scanInputs(3000);
    const wanted = selectiveScan({ ...inputs, ...options }).out.data;
    const before = used();
    const u = createDeviceBuffer('f32', inputs.u.data as unknown as Float32Array);
    const promise = selectiveScanAsync({ ...inputs, u: { data: u, shape: inputs.u.shape }, ...options });
    u.dispose();
    expect(u.disposed).toBe(true);
    expect(used()).toBeGreaterThan(before as number);
    const others = Array.from({ length: 20 }, () => createDeviceBuffer('f32', inputs.u.data.length));
    for (const other of others) other.data?.fill(Number.NaN);
    expect((await promise).out.data).toEqual(wanted);
    for (const other of others) other.dispose();
    expect(used()).toBe(before);
  });

  test('a pooled buffer disposed during the call is not handed out before it ends', async () => {
    const inputs = scanInputs(3000);
    const wanted = selectiveScan({ ...inputs, ...options }).out.data;
    const u = cpu().allocate('f32', inputs.u.data.length);
    cpu().upload(u, inputs.u.data as unknown as Float32Array);
    const memory = u.data?.buffer;
    const promise = selectiveScanAsync({ ...inputs, u: { data: u, shape: inputs.u.shape }, ...options });
    u.dispose();
    const next = cpu().allocate('f32', inputs.u.data.length);
    expect(next.data?.buffer).not.toBe(memory);
    expect((await promise).out.data).toEqual(wanted);
    const reused = cpu().allocate('f32', inputs.u.data.length);
    expect(reused.data?.buffer).toBe(memory);
    next.dispose();
    reused.dispose();
  });

  test('the main thread goes on meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const inputs = inFloat32(
      randomScanInputs({ batch: 1, seqLen: 4000, dInner: 256, dState: 16, bare: true }),
    );
    await Promise.all(Array.from({ length: 8 }, () => selectiveScanAsync({ ...inputs, ...options })));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  test('many at once', async () => {
    const inputs = scanInputs(100);
    const wanted = selectiveScan({ ...inputs, ...options }).out.data;
    const results = await Promise.all(
      Array.from({ length: 100 }, () => selectiveScanAsync({ ...inputs, ...options })),
    );
    for (const { out } of results) expect(out.data).toEqual(wanted);
  });

  test('bad arguments reject, and do not throw', async () => {
    const promise = selectiveScanAsync({
      ...scanInputs(),
      A: narrow(randomSource(1).normal([2, 2])),
      ...options,
    });
    await expect(promise).rejects.toThrow(/selectiveScan.*A/);
    const overlapping = scanInputs();
    await expect(selectiveScanAsync({ ...overlapping, ...options, out: overlapping.u })).rejects.toThrow(
      /shares/,
    );
  });

  test('the reference has asynchronous forms too', async () => {
    const inputs = randomScanInputs({ seqLen: 5 });
    const { out } = await selectiveScanAsync({ ...inputs, backend: 'reference' });
    expect(maxRelativeError(out, selectiveScanRef(inputs).out)).toBeLessThan(1e-15);
    const signal = AbortSignal.abort();
    await expect(selectiveScanAsync({ ...inputs, backend: 'reference', signal })).rejects.toThrow(
      AbortedError,
    );
  });
});

describeNative('AbortSignal', () => {
  test('already aborted: nothing starts', async () => {
    const out = nanOutput([2, 40, 20]);
    const signal = AbortSignal.abort(new Error('no more'));
    const promise = selectiveScanAsync({ ...scanInputs(), ...options, out, signal });
    await expect(promise).rejects.toThrow(AbortedError);
    await expect(promise).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: new Error('no more') });
    expect(out.data.every(Number.isNaN)).toBe(true);
  });

  test('aborted while it waits for a thread: it does not run', async () => {
    // libuv has UV_THREADPOOL_SIZE threads, 4 unless set; all of them are busy for a while.
    const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
    const running = Array.from({ length: threads }, () => hash('password', 'salt', 300_000, 64, 'sha512'));
    const controller = new AbortController();
    const out = nanOutput([2, 40, 20]);
    const promise = selectiveScanAsync({ ...scanInputs(), ...options, out, signal: controller.signal });
    controller.abort();
    await expect(promise).rejects.toThrow(AbortedError);
    await Promise.all(running);
    expect(out.data.every(Number.isNaN)).toBe(true);
  });

  test('not aborted: the listener is removed', async () => {
    const controller = new AbortController();
    await selectiveScanAsync({ ...scanInputs(), ...options, signal: controller.signal });
    controller.abort();
  });
});
