/** The diagonal state-space model as a recurrence, as a sum of one-semiseparable heads, and as a convolution. */
import { maxRelativeError } from '@statespace/ssd-core/testing';
import { Generator, gradcheck, scope, type Tensor, tensor } from '@statespace/tensor';
import { describe, expect, it } from 'vitest';
import { canRun } from '../testing/backends.js';
import { diagonalScan } from './diagonal-scan.js';

const seqLen = 70;
const channels = 3;
const dState = 5;

type Numbers = Float64Array;
interface Problem {
  readonly u: Numbers;
  readonly theta: Numbers;
  readonly B: Numbers;
  readonly C: Numbers;
  readonly D: Numbers;
}

/** `rates` decays a channel, from nearly none (0.9999) to nearly all in one step. */
function problem(rates: number): Problem {
  const draws = new Generator(5);
  return {
    u: draws.normal(seqLen * channels),
    theta: draws.uniform(channels * rates).map((x) => -9 + 11 * x),
    B: draws.normal(channels * dState),
    C: draws.normal(channels * dState),
    D: draws.normal(channels),
  };
}

const decay = ({ theta }: Problem, channel: number, n: number): number => {
  const rates = theta.length / channels;
  return Math.exp(-Math.exp(theta[channel * rates + (n % rates)] as number));
};
const weights = ({ B, C }: Problem, channel: number, n: number): [number, number] => [
  B[channel * dState + n] as number,
  C[channel * dState + n] as number,
];
const input = ({ u }: Problem, t: number, channel: number): number => u[t * channels + channel] as number;

function filled(value: (t: number, channel: number) => number): Numbers {
  return Float64Array.from({ length: seqLen * channels }, (_, i) =>
    value(Math.floor(i / channels), i % channels),
  );
}

/** h[t] = a h[t-1] + B u[t], y[t] = <C, h[t]> + D u[t]. */
function recurrence(p: Problem): Numbers {
  const states = new Float64Array(channels * dState);
  return filled((t, channel) => {
    let y = (p.D[channel] as number) * input(p, t, channel);
    for (let n = 0; n < dState; n++) {
      const [b, c] = weights(p, channel, n);
      const at = channel * dState + n;
      states[at] = decay(p, channel, n) * (states[at] as number) + b * input(p, t, channel);
      y += c * (states[at] as number);
    }
    return y;
  });
}

/** y = sum_n (1SS(a_n) * C_n B_n) u + D u, each mask by its own forward recursion L[t, s] = a L[t-1, s]. */
function sumOfHeads(p: Problem): Numbers {
  const y = filled((t, channel) => (p.D[channel] as number) * input(p, t, channel));
  for (let channel = 0; channel < channels; channel++) {
    for (let n = 0; n < dState; n++) {
      const [b, c] = weights(p, channel, n);
      const row = new Float64Array(seqLen);
      for (let t = 0; t < seqLen; t++) {
        for (let s = 0; s < t; s++) row[s] = (row[s] as number) * decay(p, channel, n);
        row[t] = 1;
        const at = t * channels + channel;
        for (let s = 0; s <= t; s++)
          y[at] = (y[at] as number) + c * (row[s] as number) * b * input(p, s, channel);
      }
    }
  }
  return y;
}

/** y = k * u + D u with k[j] = sum_n C_n B_n exp(-j exp(theta_n)). */
function convolution(p: Problem): Numbers {
  const kernel = filled((j, channel) => {
    let k = 0;
    for (let n = 0; n < dState; n++) {
      const [b, c] = weights(p, channel, n);
      k += c * b * Math.exp(j * Math.log(decay(p, channel, n)));
    }
    return k;
  });
  return filled((t, channel) => {
    let y = (p.D[channel] as number) * input(p, t, channel);
    for (let s = 0; s <= t; s++) y += (kernel[(t - s) * channels + channel] as number) * input(p, s, channel);
    return y;
  });
}

function scan(p: Problem, device: string, dtype: 'f32' | 'f64'): ArrayLike<number> {
  const given = (numbers: Numbers, shape: readonly number[]): Tensor =>
    tensor(numbers, { shape, device, dtype });
  const rates = p.theta.length / channels;
  return scope(() =>
    diagonalScan({
      u: given(p.u, [1, seqLen, channels]),
      theta: given(p.theta, [channels, rates]),
      B: given(p.B, [channels, dState]),
      C: given(p.C, [channels, dState]),
      D: given(p.D, [channels]),
    }).out.toArray(),
  );
}

// Sums of 70 x 5 terms with both signs: rounding of float64, and of float32 inputs and results.
const places = [
  { device: 'reference', dtype: 'f64', tolerance: 1e-12 },
  { device: 'reference', dtype: 'f32', tolerance: 1e-5 },
  { device: 'cpu', dtype: 'f32', tolerance: 1e-5 },
] as const;

describe.each(places)('diagonalScan on $device in $dtype', ({ device, dtype, tolerance }) => {
  it.runIf(canRun(device)).each([
    ['recurrence', recurrence],
    ['sum of heads', sumOfHeads],
    ['convolution', convolution],
  ])('is the %s, with N decays a channel and with one', (_, form) => {
    for (const rates of [dState, 1]) {
      const p = problem(rates);
      expect(maxRelativeError(scan(p, device, dtype), form(p))).toBeLessThan(tolerance);
    }
  });
});

describe('diagonalScan', () => {
  it.each([dState, 1])('has the gradient of finite differences, %i decays a channel', (rates) => {
    const draws = new Generator(8);
    const leaf = (shape: readonly number[], shift = 0): Tensor => {
      const numbers = draws.normal(shape.reduce((a, b) => a * b, 1)).map((x) => x + shift);
      return tensor(numbers, { shape, dtype: 'f64', device: 'reference', requiresGrad: true });
    };
    const inputs = [
      leaf([2, 6, channels]),
      leaf([channels, rates], -1),
      leaf([channels, dState]),
      leaf([channels, dState]),
      leaf([channels]),
      leaf([2, 6, channels]),
      leaf([2, channels, dState]),
    ];
    const check = gradcheck((u, theta, B, C, D, z, initialState) => {
      const given = { theta, B, C, D, z, initialState } as Record<string, Tensor>;
      const { out, lastState } = diagonalScan({ ...given, u, returnLastState: true } as never);
      return [out, lastState as Tensor];
    }, inputs);
    expect(check.maxError).toBeLessThan(1e-7);
  });

  it('refuses weights of another state size', () => {
    const zeros = (shape: readonly number[]) =>
      tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)), { shape, device: 'reference' });
    const u = zeros([1, 4, 3]);
    expect(() => diagonalScan({ u, theta: zeros([3, 4]), B: zeros([3, 5]), C: zeros([3, 5]) })).toThrow(
      /expand/,
    );
    expect(() => diagonalScan({ u, theta: zeros([3, 5]), B: zeros([3, 5]), C: zeros([3, 4]) })).toThrow(/C/);
  });
});
