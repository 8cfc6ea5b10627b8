/**
 * Output head and mean cross-entropy in one pass over blocks of rows, so that a block of logits is all that exists:
 *   logits = x weight^T + bias;   loss = mean over counted rows of (log sum exp(logits) - logits_target)
 */
import { loadFloat64, loadIndices } from '../../reference/views.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { multiplyInto } from '../gemm/gemm.js';
import { argmaxOf } from '../reduce/reduce.js';
import { logSumExp } from '../softmax/softmax.js';
import { checkLinearCrossEntropyInputs, type LinearCrossEntropyInputs } from './shapes.js';

const blockRows = 32;

/** Loss, hits and gradients of the mean loss, of the shapes of x, weight and bias. */
export interface LinearCrossEntropyResult {
  readonly loss: number;
  /** Counted rows whose largest logit is the target. */
  readonly correct: number;
  readonly gradX: Float64Tensor;
  readonly gradWeight: Float64Tensor;
  readonly gradBias: Float64Tensor;
}

/**
 * x (M, K), weight (V, K), bias (V), targets i32 (M). The loss is 0, and so are the gradients, when no row counts.
 * @throws {StatespaceError} naming the argument that does not fit.
 */
export function linearCrossEntropyRef(inputs: LinearCrossEntropyInputs): LinearCrossEntropyResult {
  const op = 'linearCrossEntropy';
  const { rows, features, classes, ignoreIndex } = checkLinearCrossEntropyInputs(op, inputs);
  const targets = loadIndices(op, 'targets', inputs.targets, classes, ignoreIndex);
  const x = loadFloat64(op, 'x', inputs.x);
  const weight = loadFloat64(op, 'weight', inputs.weight);
  const weightT = transpose(weight, classes, features);
  const bias = inputs.bias && loadFloat64(op, 'bias', inputs.bias);
  const counted = targets.reduce((count, target) => count + (target === ignoreIndex ? 0 : 1), 0);
  const gradX = new Float64Array(rows * features);
  const gradWeight = new Float64Array(classes * features);
  const gradBias = new Float64Array(classes);
  let lossSum = 0;
  let correct = 0;

  for (let first = 0; first < rows; first += blockRows) {
    const size = Math.min(blockRows, rows - first);
    const xBlock = x.subarray(first * features, (first + size) * features);
    const block = new Float64Array(size * classes);
    multiplyInto(block, xBlock, weightT, { m: size, n: classes, k: features });
    for (let r = 0; r < size; r++) {
      const row = block.subarray(r * classes, (r + 1) * classes);
      const target = targets[first + r] as number;
      if (target === ignoreIndex) {
        row.fill(0);
        continue;
      }
      if (bias !== undefined)
        for (let v = 0; v < classes; v++) row[v] = (row[v] as number) + (bias[v] as number);
      const normaliser = logSumExp(row);
      lossSum += normaliser - (row[target] as number);
      if (argmaxOf(row) === target) correct += 1;
      logitsToGradient(row, target, normaliser, counted);
      for (let v = 0; v < classes; v++) gradBias[v] = (gradBias[v] as number) + (row[v] as number);
    }
    const gradXBlock = gradX.subarray(first * features, (first + size) * features);
    multiplyInto(gradXBlock, block, weight, { m: size, n: features, k: classes });
    multiplyInto(gradWeight, transpose(block, size, classes), xBlock, { m: classes, n: features, k: size });
  }
  return {
    loss: counted === 0 ? 0 : lossSum / counted,
    correct,
    gradX: float64Tensor(gradX, [rows, features]),
    gradWeight: float64Tensor(gradWeight, [classes, features]),
    gradBias: float64Tensor(gradBias, [classes]),
  };
}

/** Turns one row of logits into the gradient of the mean loss: (softmax - onehot(target)) / counted. */
function logitsToGradient(row: Float64Array, target: number, normaliser: number, counted: number): void {
  for (let v = 0; v < row.length; v++) {
    row[v] = (Math.exp((row[v] as number) - normaliser) - (v === target ? 1 : 0)) / counted;
  }
}

function transpose(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j] as number;
  }
  return out;
}
