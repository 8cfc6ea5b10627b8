/** Rows of a table by index: out[m] = weight[ids[m]], and its transpose. */
import type { EmbeddingArgs, EmbeddingBackwardArgs } from '../../kernels/dense-args.js';
import { loadFloat64, loadIndices } from '../../reference/views.js';
import { expectInput, expectOutput, expectRank, indexDTypes } from '../../tensor-checks.js';
import type { TensorLike } from '../../tensor-like.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';

/** weight (classes, features), ids (rows). */
export interface EmbeddingDims {
  readonly rows: number;
  readonly classes: number;
  readonly features: number;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit; entries of ids are not read. */
export function checkEmbedding(op: string, args: EmbeddingArgs): EmbeddingDims {
  const dims = checkTable(op, 'weight', args.weight, args.ids);
  expectOutput(op, 'out', args.out, { shape: [dims.rows, dims.features], letters: '(M, K)' });
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit; entries of ids are not read. */
export function checkEmbeddingBackward(op: string, args: EmbeddingBackwardArgs): EmbeddingDims {
  const dims = checkTable(op, 'gradWeight', args.gradWeight, args.ids);
  expectInput(op, 'gradOut', args.gradOut, { shape: [dims.rows, dims.features], letters: '(M, K)' });
  expectOutput(op, 'gradWeight', args.gradWeight);
  return dims;
}

/** weight[ids[m]] for each m, (M, K). @throws {ArgumentError} for an id outside [0, V). */
export function embeddingRef({ weight, ids }: Omit<EmbeddingArgs, 'out'>): Float64Tensor {
  const op = 'embedding';
  const { rows, classes, features } = checkTable(op, 'weight', weight, ids);
  const index = loadIndices(op, 'ids', ids, classes);
  const table = loadFloat64(op, 'weight', weight);
  const out = new Float64Array(rows * features);
  index.forEach((id, m) => {
    out.set(table.subarray(id * features, (id + 1) * features), m * features);
  });
  return float64Tensor(out, [rows, features]);
}

/**
 * The table of gradients with the sum of gradOut[m] over ids[m] = v added to row v, in order of m.
 * ids i32 (M), gradOut (M, K), gradWeight (V, K). @throws {ArgumentError} for an id outside [0, V).
 */
export function embeddingBackwardRef({ ids, gradOut, gradWeight }: EmbeddingBackwardArgs): Float64Tensor {
  const op = 'embeddingBackward';
  const { classes, features } = checkEmbeddingBackward(op, { ids, gradOut, gradWeight });
  const index = loadIndices(op, 'ids', ids, classes);
  const upstream = loadFloat64(op, 'gradOut', gradOut);
  const table = loadFloat64(op, 'gradWeight', gradWeight);
  index.forEach((id, m) => {
    for (let k = 0; k < features; k++) {
      table[id * features + k] =
        (table[id * features + k] as number) + (upstream[m * features + k] as number);
    }
  });
  return float64Tensor(table, [classes, features]);
}

function checkTable(op: string, argument: string, table: TensorLike, ids: TensorLike): EmbeddingDims {
  expectInput(op, argument, table);
  expectRank(op, argument, table, 2, '(V, K)');
  expectInput(op, 'ids', ids, { dtypes: indexDTypes });
  expectRank(op, 'ids', ids, 1, '(M)');
  const [classes, features] = table.shape as [number, number];
  return { rows: ids.shape[0] as number, classes, features };
}
