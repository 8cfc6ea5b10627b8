import { readdirSync, readFileSync } from 'node:fs';
import { StatespaceError } from '@statespace/ssd-core';
import fc from 'fast-check';
import { Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import * as adapters from './index.js';

test('no library is loaded, nor the addon', () => {
  const folder = new URL('.', import.meta.url);
  const sources = readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name));
  expect(sources).toContain('ml-matrix.ts');
  for (const name of sources) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    for (const [, specifier] of text.matchAll(/from '([^']+)'/g)) {
      expect(specifier, name).toMatch(/^(@statespace\/ssd-core(\/files)?|\.\/[a-z-]+\.js)$/);
    }
  }
});

/** Values that are no numbers, some of which refuse to be text. */
const junk = fc.constantFrom<unknown>(
  null,
  true,
  'a',
  3n,
  Symbol('s'),
  {},
  { toString: false },
  [{}],
  [null],
  ['1'],
);
/** Sizes are small, since a size of a billion is honest work for a view with strides of 0. */
const size = fc.oneof(fc.integer({ min: -2, max: 4 }), fc.constantFrom(0.5, Number.NaN, -0), junk);

/** Objects with some of the fields that adapters read, of any values. */
const lookalike = fc.record(
  {
    data: fc.oneof(fc.anything(), fc.float32Array(), fc.uint16Array(), fc.bigInt64Array()),
    shape: fc.oneof(junk, fc.array(size, { maxLength: 3 })),
    strides: fc.oneof(fc.anything(), fc.array(fc.integer(), { maxLength: 3 })),
    offset: fc.oneof(fc.anything(), fc.integer()),
    dims: fc.oneof(junk, fc.array(size, { maxLength: 2 })),
    stride: fc.oneof(fc.anything(), fc.array(fc.integer(), { maxLength: 2 })),
    type: fc.oneof(fc.anything(), fc.constantFrom('float32', 'int64', 'float16')),
    dtype: fc.oneof(fc.anything(), fc.constantFrom('float32', 'f32', 'bf16', 'c64', 'F32')),
    rows: fc.oneof(junk, fc.nat(3)),
    columns: fc.oneof(junk, fc.nat(3)),
    get: fc.oneof(
      fc.anything(),
      fc.constant(() => 1),
    ),
    location: fc.oneof(fc.anything(), fc.constantFrom('cpu', 'gpu-buffer')),
    dataSync: fc.oneof(
      fc.anything(),
      fc.constant(() => new Float32Array(2)),
    ),
  },
  { requiredKeys: [] },
);
const hostile = fc.oneof(
  fc.anything({ withTypedArray: true, withBigInt: true }),
  lookalike,
) as fc.Arbitrary<never>;

describe.each<[string, (value: never) => unknown]>([
  ['fromMatrix', adapters.fromMatrix],
  ['fromMatrices', adapters.fromMatrices],
  ['toMatrix', (tensor) => adapters.toMatrix(tensor, Matrix)],
  [
    'toMatrix, class',
    (anything) => adapters.toMatrix({ data: new Float32Array(1), shape: [1, 1] }, anything),
  ],
  ['toMatrices', (tensor) => adapters.toMatrices(tensor, Matrix)],
  ['fillMatrix', (tensor) => adapters.fillMatrix(new Matrix(2, 2), tensor)],
  [
    'fillMatrix, matrix',
    (matrix) => adapters.fillMatrix(matrix, { data: new Float32Array(1), shape: [1, 1] }),
  ],
  ['fromNpy', adapters.fromNpy],
  ['toNpy', adapters.toNpy],
  ['fromOnnxTensor', adapters.fromOnnxTensor],
  ['toOnnxTensor', adapters.toOnnxTensor],
  ['fromNdarray', adapters.fromNdarray],
  ['toNdarray', adapters.toNdarray],
  ['fromTfjsTensor', adapters.fromTfjsTensor],
  ['toTfjsTensor', adapters.toTfjsTensor],
])('%s of anything at all', (_, call) => {
  test('gives a result or an error of this project', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        try {
          call(value);
        } catch (error) {
          expect(error).toBeInstanceOf(StatespaceError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
