/** Rounding of the chunked scan in float32 for several chunk sizes, against the float64 recurrence. */
import { Generator, ones, scope, ssdChunkScan, tensor } from '@statespace/tensor';
import { recurrentForm } from './dual-forms.js';
import { outputDifference } from './equivalence.js';

/** N, and P. */
const [dState, headDim] = [16, 4];

export interface ChunkRow {
  readonly chunk_size: number;
  /** max|y - exact| / max(1, max|exact|) */
  readonly error: number;
}

/** `ssdChunkScan` of one head with the decay `a` in every step, B, C and x standard normal, on `device`. */
export function chunkSizeErrors(
  chunkSizes: readonly number[],
  { a, seqLen, seed, device }: { a: number; seqLen: number; seed: number; device: string },
): ChunkRow[] {
  const generator = new Generator(seed, seqLen);
  const [b, c] = [generator.normal(seqLen * dState), generator.normal(seqLen * dState)];
  const u = generator.normal(seqLen * headDim);
  const exact = new Float64Array(u.length);
  const decays = new Float64Array(seqLen * dState).fill(a);
  recurrentForm({ seqLen, dState, a: decays, b, c }, u, headDim, exact);
  return chunkSizes.map((chunkSize) => {
    const y = scope(() => {
      const options = { dtype: 'f32', device } as const;
      const { out } = ssdChunkScan({
        x: tensor(u, { ...options, shape: [1, seqLen, 1, headDim] }),
        dt: ones([1, seqLen, 1], options),
        A: tensor([Math.log(a)], options),
        B: tensor(b, { ...options, shape: [1, seqLen, 1, dState] }),
        C: tensor(c, { ...options, shape: [1, seqLen, 1, dState] }),
        chunkSize,
      });
      return out.toArray();
    });
    return { chunk_size: chunkSize, error: outputDifference(y, exact).relative };
  });
}
