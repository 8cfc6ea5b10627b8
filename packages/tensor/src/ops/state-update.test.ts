import { maxRelativeError } from '@statespace/ssd-core/testing';
import { describe, expect, test } from 'vitest';
import { noGrad } from '../autograd/mode.js';
import { zeros } from '../create.js';
import { draws } from '../testing/tensors.js';
import { causalConv1d } from './causal-conv1d.js';
import { stack } from './concat.js';
import { selectiveScan } from './selective-scan.js';
import { ssdChunkScan } from './ssd-chunk-scan.js';
import { causalConv1dUpdate, selectiveStateUpdate } from './state-update.js';

const [batch, seqLen, channels, dState] = [2, 6, 4, 3];
const options = { device: 'reference', dtype: 'f64' } as const;
const { constant, positive, leaf } = draws(1);
const steps = Array.from({ length: seqLen }, (_, t) => t);

describe('step by step equals the whole sequence', () => {
  test('selectiveStateUpdate, Mamba-1, on views', () => {
    const [u, z] = [constant(batch, seqLen, channels), constant(batch, seqLen, channels)];
    const bc = constant(batch, seqLen, 2 * dState);
    const A = positive(channels, dState).detach().neg();
    const shared = { A, D: constant(channels), dtBias: constant(channels), dtSoftplus: true };
    const state = zeros([batch, channels, dState], options);
    const outs = steps.map((t) =>
      selectiveStateUpdate({
        ...shared,
        ...{ state, x: u.select(1, t), dt: u.select(1, t), z: z.select(1, t) },
        B: bc.select(1, t).slice(1, 0, dState),
        C: bc.select(1, t).slice(1, dState),
      }),
    );
    const { dtBias: deltaBias, dtSoftplus: deltaSoftplus, D } = shared;
    const scan = selectiveScan({
      ...{ u, delta: u, z, A, D, deltaBias, deltaSoftplus, returnLastState: true },
      ...{ B: bc.slice(2, 0, dState), C: bc.slice(2, dState) },
    });
    expect(maxRelativeError(stack(outs, 1).toArray(), scan.out.toArray())).toBeLessThan(1e-13);
    expect(maxRelativeError(state.toArray(), scan.lastState.toArray())).toBeLessThan(1e-13);
  });

  test('selectiveStateUpdate, Mamba-2', () => {
    const [heads, headDim] = [2, 2];
    const x = constant(batch, seqLen, heads, headDim);
    const dt = constant(batch, seqLen, heads);
    const B = constant(batch, seqLen, 1, dState);
    const A = positive(heads).detach().neg();
    const state = zeros([batch, heads, headDim, dState], options);
    const outs = steps.map((t) =>
      selectiveStateUpdate({
        ...{ state, A, x: x.select(1, t), dt: dt.select(1, t), dtSoftplus: true },
        ...{ B: B.select(1, t), C: B.select(1, t) },
      }),
    );
    const scan = ssdChunkScan({ x, dt, A, B, C: B, dtSoftplus: true, chunkSize: 4, returnFinalStates: true });
    expect(maxRelativeError(stack(outs, 1).toArray(), scan.out.toArray())).toBeLessThan(1e-13);
    expect(maxRelativeError(state.toArray(), scan.finalStates.toArray())).toBeLessThan(1e-13);
  });

  test('causalConv1dUpdate', () => {
    const x = constant(batch, seqLen, channels);
    const [weight, bias] = [constant(channels, 4), constant(channels)];
    const convState = zeros([batch, channels, 3], options);
    const outs = steps.map((t) =>
      causalConv1dUpdate({ x: x.select(1, t), convState, weight, bias, activation: 'silu' }),
    );
    const { out, finalStates } = causalConv1d({
      x,
      weight,
      bias,
      activation: 'silu',
      returnFinalStates: true,
    });
    expect(maxRelativeError(stack(outs, 1).toArray(), out.toArray())).toBeLessThan(1e-13);
    expect(convState.toArray()).toEqual(finalStates.toArray());
  });
});

test('a step in place refuses tensors that want gradients', () => {
  const convState = zeros([batch, channels, 3], options);
  const step = () =>
    causalConv1dUpdate({ x: leaf(batch, channels), convState, weight: constant(channels, 4) });
  expect(step).toThrow(/causalConv1dUpdate: x.*noGrad/);
  expect(noGrad(step).shape).toEqual([batch, channels]);
});

test('a state that changed in place is noticed by a graph that saved it', () => {
  const initialState = zeros([1, channels, dState], options);
  const [u, delta] = [leaf(1, 2, channels), positive(1, 2, channels)];
  const [A, B] = [positive(channels, dState).detach().neg(), constant(1, 2, dState)];
  const { out } = selectiveScan({ u, delta, A, B, C: B, initialState });
  const row = constant(1, channels);
  selectiveStateUpdate({ state: initialState, x: row, dt: row, A, B: B.select(1, 0), C: B.select(1, 0) });
  expect(() => out.sum().backward()).toThrow(/selectiveScan.*changed in place/);
});
