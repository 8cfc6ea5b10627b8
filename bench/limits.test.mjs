import { describe, expect, test } from 'vitest';
import {
  convBackwardLimit,
  convForwardLimit,
  scanBackwardLimit,
  scanForwardLimit,
  ssdForwardLimit,
  updateLimit,
} from './limits.mjs';
import { judgeProbes } from './machine.mjs';

describe('limits', () => {
  // The study that fixed the targets: 543 GFLOP/s on two cores of a Zen 5.
  const probes = { fmaGflops: 543, triadGBs: 44, streamTriadGBs: 52 };
  const scan = { batch: 8, seqLen: 2048, dim: 1536, dState: 16 };

  test('of the scan are those of the study', () => {
    expect(1e3 * scanForwardLimit(scan, probes)).toBeCloseTo(25.4, 0);
    expect(1e3 * scanBackwardLimit(scan, probes)).toBeCloseTo(37, 0);
  });

  test('of SSD count 6.9 GFLOP at the shape of mamba2-130m', () => {
    const shape = { batch: 4, seqLen: 2048, heads: 24, headDim: 64, dState: 128, groups: 1 };
    expect(ssdForwardLimit(shape, probes) * probes.fmaGflops).toBeCloseTo(6.9, 1);
  });

  test('of the convolution are its compulsory bytes', () => {
    const shape = { batch: 1, seqLen: 1000, dim: 1000, width: 4 };
    expect(convForwardLimit(shape, probes)).toBeCloseTo(8e6 / 52e9, 12);
    expect(convBackwardLimit(shape, probes)).toBeCloseTo(12e6 / 52e9, 12);
  });

  test('of an update are 20 microseconds or 1.3 times the traffic of its state', () => {
    expect(updateLimit({ states: 1000 }, probes)).toBe(20e-6);
    expect(updateLimit({ states: 1e6 }, probes)).toBeCloseTo((1.3 * 8e6) / 44e9, 12);
  });
});

describe('probes', () => {
  const known = { name: 'some CPU', fma: { avx512: 100, avx2: 50 }, streamTriad: 50 };
  const wide = { isa: 'avx512', fmaGflops: 179, streamTriadGBs: 46 };

  test('below nine tenths of the known rate are not met', () => {
    const narrow = { isa: 'avx2', fmaGflops: 91, streamTriadGBs: 46 };
    const rows = judgeProbes({ known, cores: 2 }, [wide, narrow], 2);
    expect(rows.map(({ probe, met }) => [probe, met])).toEqual([
      ['FMA, avx512', false],
      ['FMA, avx2', true],
      ['triad past the caches', true],
    ]);
  });

  test('of more threads than cores are held against the cores', () => {
    expect(judgeProbes({ known, cores: 2 }, [wide], 4)[0].known).toBe(200);
  });

  test('of an unknown CPU, or of an unknown instruction set, are not judged', () => {
    expect(judgeProbes({ cores: 2 }, [wide], 2)).toEqual([]);
    expect(judgeProbes({ known, cores: 2 }, [{ ...wide, isa: 'sse2' }], 1)).toEqual([]);
  });
});
