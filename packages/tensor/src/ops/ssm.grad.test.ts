import { describe, test } from 'vitest';
import { draws, expectGradients } from '../testing/tensors.js';
import { causalConv1d } from './causal-conv1d.js';
import { diagonalSsd } from './diagonal-ssd.js';
import { selectiveScan } from './selective-scan.js';
import { ssdChunkScan } from './ssd-chunk-scan.js';

const [batch, seqLen, channels, dState] = [2, 5, 4, 3];

describe('selectiveScan', () => {
  const { leaf, positive } = draws(1);
  test('with everything on, from views of one projection', () => {
    expectGradients(
      (xz, dbc, rate, D, deltaBias, initialState) => {
        const { out, lastState } = selectiveScan({
          u: xz.slice(2, 0, channels),
          z: xz.slice(2, channels, 2 * channels),
          delta: dbc.slice(2, 0, channels),
          B: dbc.slice(2, channels, channels + dState),
          C: dbc.slice(2, channels + dState, channels + 2 * dState),
          A: rate.neg(),
          D,
          deltaBias,
          deltaSoftplus: true,
          initialState,
          returnLastState: true,
        });
        return [out, lastState];
      },
      [
        leaf(batch, seqLen, 2 * channels),
        leaf(batch, seqLen, channels + 2 * dState),
        positive(channels, dState),
        leaf(channels),
        leaf(channels),
        leaf(batch, channels, dState),
      ],
    );
  });
  test('bare, grouped, and of the last state alone', () => {
    const x = [leaf(batch, seqLen, channels), positive(batch, seqLen, channels), positive(channels, dState)];
    expectGradients(
      (u, delta, rate, B, C) => selectiveScan({ u, delta, A: rate.neg(), B, C }).out,
      [...x, leaf(channels, dState), leaf(batch, seqLen, 2, dState)],
    );
    expectGradients(
      (u, delta, rate, B, C) =>
        selectiveScan({ u, delta, A: rate.neg(), B, C, returnLastState: true }).lastState,
      [...x, leaf(batch, seqLen, dState), leaf(batch, seqLen, dState)],
    );
  });
  test('packed sequences', () => {
    const { leaf: draw, positive: above } = draws(2);
    expectGradients(
      (u, delta, rate, B, C, initialState) => {
        const cuSeqlens = Int32Array.of(0, 2, 2, 5);
        const scan = selectiveScan({
          ...{ u, delta, A: rate.neg(), B, C, initialState, cuSeqlens },
          returnLastState: true,
        });
        return [scan.out, scan.lastState];
      },
      [
        draw(1, seqLen, channels),
        above(1, seqLen, channels),
        above(channels, dState),
        draw(1, seqLen, dState),
        draw(1, seqLen, dState),
        draw(3, channels, dState),
      ],
    );
  });
  test('complex A, B and C as pairs along a last axis', () => {
    expectGradients(
      (u, delta, A, B, C) => {
        const scan = selectiveScan({ u, delta, A, B, C, returnLastState: true });
        return [scan.out, scan.lastState];
      },
      [
        leaf(batch, seqLen, channels),
        positive(batch, seqLen, channels),
        leaf(channels, dState, 2),
        leaf(batch, seqLen, dState, 2),
        leaf(channels, dState, 2),
      ],
    );
  });
});

describe('causalConv1d', () => {
  const { leaf } = draws(3);
  test.each(['none', 'silu'] as const)('with bias, states and activation %s', (activation) => {
    expectGradients(
      (x, weight, bias, initialStates) => {
        const conv = causalConv1d({
          x: x.slice(2, 1, 1 + channels),
          ...{ weight, bias, activation, initialStates },
          returnFinalStates: true,
        });
        return [conv.out, conv.finalStates];
      },
      [leaf(batch, seqLen, channels + 2), leaf(channels, 4), leaf(channels), leaf(batch, channels, 3)],
    );
    expectGradients((x, weight) => causalConv1d({ x, weight }).out, [leaf(1, 2, 3), leaf(3, 4)]);
  });
});

describe('ssdChunkScan', () => {
  const { leaf, positive } = draws(4);
  const [heads, headDim, groups] = [4, 2, 2];
  test('with everything on', () => {
    expectGradients(
      (x, dt, rate, B, C, D, z, dtBias, initialStates) => {
        const scan = ssdChunkScan({
          ...{ x, dt, A: rate.neg(), B, C, D, z, dtBias, initialStates },
          chunkSize: 2,
          dtSoftplus: true,
          dtLimit: [0, 100],
          returnFinalStates: true,
        });
        return [scan.out, scan.finalStates];
      },
      [
        leaf(batch, seqLen, heads, headDim),
        leaf(batch, seqLen, heads),
        positive(heads),
        leaf(batch, seqLen, groups, dState),
        leaf(batch, seqLen, groups, dState),
        leaf(heads),
        leaf(batch, seqLen, heads, headDim),
        leaf(heads),
        leaf(batch, heads, headDim, dState),
      ],
    );
  });
  test('from views of one projection, D per channel', () => {
    expectGradients(
      (projection, rate, D) => {
        const inner = heads * headDim;
        const x = projection.slice(2, 0, inner).reshape([batch, seqLen, heads, headDim]);
        const B = projection.slice(2, inner, inner + dState).unsqueeze(2);
        const dt = projection.slice(2, inner + dState, inner + dState + heads);
        return ssdChunkScan({ x, dt, A: rate.neg(), B, C: B, D, dtSoftplus: true }).out;
      },
      [leaf(batch, seqLen, heads * headDim + dState + heads), positive(heads), leaf(heads, headDim)],
    );
  });
});

describe('diagonalSsd', () => {
  const { leaf, positive } = draws(5);
  const [heads, headDim, groups] = [4, 2, 2];
  test('with everything on', () => {
    expectGradients(
      (x, dt, rate, B, C, D, z, dtBias, initialStates) => {
        const scan = diagonalSsd({
          ...{ x, dt, A: rate.neg(), B, C, D, z, dtBias, initialStates },
          chunkSize: 2,
          dtSoftplus: true,
          dtLimit: [0, 100],
          returnFinalStates: true,
        });
        return [scan.out, scan.finalStates];
      },
      [
        leaf(batch, seqLen, heads, headDim),
        leaf(batch, seqLen, heads),
        positive(heads, dState),
        leaf(batch, seqLen, groups, dState),
        leaf(batch, seqLen, groups, dState),
        leaf(heads),
        leaf(batch, seqLen, heads, headDim),
        leaf(heads),
        leaf(batch, heads, headDim, dState),
      ],
    );
  });
  test('from views of one projection, D per channel', () => {
    expectGradients(
      (projection, rate, D) => {
        const inner = heads * headDim;
        const x = projection.slice(2, 0, inner).reshape([batch, seqLen, heads, headDim]);
        const B = projection.slice(2, inner, inner + dState).unsqueeze(2);
        const dt = projection.slice(2, inner + dState, inner + dState + heads);
        return diagonalSsd({ x, dt, A: rate.neg(), B, C: B, D, dtSoftplus: true }).out;
      },
      [leaf(batch, seqLen, heads * headDim + dState + heads), positive(heads, dState), leaf(heads, headDim)],
    );
  });
  test('packed sequences, of the last states alone', () => {
    expectGradients(
      (x, dt, rate, B, C, initialStates) => {
        const cuSeqlens = Int32Array.of(0, 2, 2, 5);
        return diagonalSsd({
          ...{ x, dt, A: rate.neg(), B, C, initialStates, cuSeqlens },
          returnFinalStates: true,
        }).finalStates;
      },
      [
        leaf(1, seqLen, heads, headDim),
        positive(1, seqLen, heads),
        positive(heads, dState),
        leaf(1, seqLen, groups, dState),
        leaf(1, seqLen, groups, dState),
        leaf(3, heads, headDim, dState),
      ],
    );
  });
});
