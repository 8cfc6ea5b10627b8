import { decodeBfloat16, decodeFloat16 } from '@statespace/ssd-core';
import { expect, test } from 'vitest';
import { decodeHalves, encodeNumbers } from './numbers.js';

const everyPattern = Uint16Array.from({ length: 65536 }, (_, i) => i);

test('every f16 and bf16 decodes as the reference does, and encodes back', () => {
  for (const [dtype, decode] of [
    ['f16', decodeFloat16],
    ['bf16', decodeBfloat16],
  ] as const) {
    const numbers = decodeHalves(everyPattern, dtype);
    expect(numbers).toEqual(Float32Array.from(everyPattern, decode));
    const back = encodeNumbers('test', numbers, dtype);
    const changed = everyPattern.filter((bits) => back[bits] !== bits && !Number.isNaN(numbers[bits]));
    expect(changed).toHaveLength(0);
  }
});

test('an array of the right format is not copied', () => {
  const numbers = new Float32Array([1]);
  expect(encodeNumbers('test', numbers, 'f32')).toBe(numbers);
});
