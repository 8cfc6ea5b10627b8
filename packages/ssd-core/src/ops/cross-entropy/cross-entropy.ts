/**
 * Cross-entropy of logits against class indices, with label smoothing s over V classes:
 *   loss = (1 - s) (-log p_target) + (s / V) sum_v (-log p_v),  p = softmax(logits)
 * Source: Szegedy et al. 2016, arXiv:1512.00567, section 7, as torch.nn.functional.cross_entropy writes it.
 */
import type { CrossEntropyBackwardArgs, CrossEntropyInputs } from '../../kernels/dense-args.js';
import { loadFloat64, loadIndices } from '../../reference/views.js';
import { expectInput } from '../../tensor-checks.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { logSumExp } from '../softmax/softmax.js';
import { checkCrossEntropyInputs } from './shapes.js';

/** Loss of each row, (M); 0 where ignored. @throws {StatespaceError} naming the argument that does not fit. */
export function crossEntropyRef(inputs: CrossEntropyInputs): Float64Tensor {
  const op = 'crossEntropy';
  const { rows, classes, ignoreIndex, labelSmoothing } = checkCrossEntropyInputs(op, inputs);
  const targets = loadIndices(op, 'targets', inputs.targets, classes, ignoreIndex);
  const logits = loadFloat64(op, 'logits', inputs.logits);
  const losses = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const target = targets[row] as number;
    if (target === ignoreIndex) continue;
    const values = logits.subarray(row * classes, (row + 1) * classes);
    const normaliser = logSumExp(values);
    let smooth = 0;
    if (labelSmoothing > 0) {
      for (const value of values) smooth += (normaliser - value) / classes;
    }
    losses[row] = (1 - labelSmoothing) * (normaliser - (values[target] as number)) + labelSmoothing * smooth;
  }
  return float64Tensor(losses, [rows]);
}

/**
 * gradLogits (M, V) = gradLosses_m (p - (1 - s) onehot(target) - s / V); rows ignored get 0.
 * @throws {StatespaceError} naming the argument that does not fit.
 */
export function crossEntropyBackwardRef(
  args: CrossEntropyInputs & Pick<CrossEntropyBackwardArgs, 'gradLosses'>,
): Float64Tensor {
  const op = 'crossEntropyBackward';
  const { rows, classes, ignoreIndex, labelSmoothing } = checkCrossEntropyInputs(op, args);
  expectInput(op, 'gradLosses', args.gradLosses, { shape: [rows], letters: '(M)' });
  const targets = loadIndices(op, 'targets', args.targets, classes, ignoreIndex);
  const upstream = loadFloat64(op, 'gradLosses', args.gradLosses);
  const grad = loadFloat64(op, 'logits', args.logits);
  for (let row = 0; row < rows; row++) {
    const values = grad.subarray(row * classes, (row + 1) * classes);
    const target = targets[row] as number;
    if (target === ignoreIndex) {
      values.fill(0);
      continue;
    }
    const normaliser = logSumExp(values);
    for (let v = 0; v < classes; v++) {
      const wanted = (v === target ? 1 - labelSmoothing : 0) + labelSmoothing / classes;
      values[v] = (upstream[row] as number) * (Math.exp((values[v] as number) - normaliser) - wanted);
    }
  }
  return float64Tensor(grad, [rows, classes]);
}
