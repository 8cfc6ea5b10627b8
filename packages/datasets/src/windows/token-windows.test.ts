import { describe, expect, it } from 'vitest';
import { tokenWindows } from './token-windows.js';

const tokens = Int32Array.from({ length: 23 }, (_, i) => 100 + i);

describe('tokenWindows', () => {
  it('cuts disjoint slices of seqLen + 1 and drops the rest', () => {
    const windows = tokenWindows(tokens, { seqLen: 4 });
    expect(windows.count).toBe(4);
    expect([...windows.inputs.slice(0, 8)]).toEqual([100, 101, 102, 103, 105, 106, 107, 108]);
    expect([...windows.targets.slice(0, 8)]).toEqual([101, 102, 103, 104, 106, 107, 108, 109]);
    expect([...windows.lastTargets]).toEqual([104, 109, 114, 119]);
  });

  it('keeps the first maxSamples', () => {
    expect(tokenWindows(tokens, { seqLen: 4, maxSamples: 2 }).count).toBe(2);
    expect(tokenWindows(tokens, { seqLen: 4, maxSamples: 9 }).count).toBe(4);
    expect(tokenWindows(tokens, { seqLen: 22 }).count).toBe(1);
  });

  it('gathers rows in the order asked for', () => {
    const batch = tokenWindows(tokens, { seqLen: 4 }).gather([3, 0, 3]);
    expect(batch.batch).toBe(3);
    expect([...batch.inputs]).toEqual([115, 116, 117, 118, 100, 101, 102, 103, 115, 116, 117, 118]);
    expect([...batch.targets.slice(4, 8)]).toEqual([101, 102, 103, 104]);
    expect([...batch.lastTargets]).toEqual([119, 104, 119]);
  });

  it('refuses short texts, bad sizes and rows outside', () => {
    expect(() => tokenWindows(tokens, { seqLen: 23 })).toThrow(/seqLen \+ 1 = 24 tokens, got 23/);
    expect(() => tokenWindows(tokens, { seqLen: 0 })).toThrow(/positive integer/);
    expect(() => tokenWindows(tokens, { seqLen: 4, maxSamples: 1.5 })).toThrow(/maxSamples/);
    expect(() => tokenWindows(tokens, { seqLen: 4 }).gather([4])).toThrow(/0 to 3, got 4/);
  });
});
