/**
 * Rows of a table: out[m] = weight[ids[m]]. weight (V, K), ids i32 (...), out (..., K).
 * gradWeight[v] = sum of gradOut[m] over ids[m] = v, in order of m.
 */
import { record } from '../autograd/graph.js';
import { zerosLike } from '../create.js';
import type { Tensor } from '../tensor.js';
import { checkFloat, checkRank, dropIndices, type Indices, indexTensor } from './arguments.js';
import { allocate, dense, drop, shaped } from './layout.js';

/** weight[ids]. @throws {ArgumentError} for an id outside of the table. */
export function embedding(weight: Tensor, ids: Indices): Tensor {
  const op = 'embedding';
  checkFloat(op, 'weight', weight);
  checkRank(op, 'weight', weight, [2], '(V, K)');
  const { kernels } = weight;
  const given = indexTensor(op, 'ids', ids, kernels);
  const order = dense(given);
  const table = dense(weight);
  const width = weight.shape[1] as number;
  const out = allocate(kernels, weight.dtype, [...given.shape, width]);
  const count = given.size;
  kernels.embedding({ weight: table, ids: shaped(order, [count]), out: shaped(out, [count, width]) });
  record(op, [out], [weight], [weight, order], ({ grad, saved: [rows, places], target }) => {
    const gradOut = dense(grad);
    const gradWeight = target(0) ?? zerosLike(rows);
    kernels.embeddingBackward({
      ids: shaped(places, [count]),
      gradOut: shaped(gradOut, [count, width]),
      gradWeight,
    });
    return [gradWeight];
  });
  drop(table, weight);
  drop(order, given);
  dropIndices(given, ids);
  return out;
}
