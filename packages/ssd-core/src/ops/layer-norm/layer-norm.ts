/**
 * LayerNorm (Ba, Kiros & Hinton 2016, arXiv:1607.06450) over the last axis:
 *   n = (x - mean) r,  r = (var + eps)^(-1/2) with the biased variance;  out = n weight + bias
 */
import type { LayerNormBackwardArgs, LayerNormInputs } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { expectInput } from '../../tensor-checks.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { checkLayerNormInputs } from './shapes.js';

/** Gradients of `layerNormRef`, of the shapes of x, weight and bias. */
export interface LayerNormGradients {
  readonly gradX: Float64Tensor;
  readonly gradWeight: Float64Tensor;
  readonly gradBias: Float64Tensor;
}

/** The normalised x, (..., D). @throws {StatespaceError} naming the argument that does not fit. */
export function layerNormRef(inputs: LayerNormInputs): Float64Tensor {
  const op = 'layerNorm';
  const { dim } = checkLayerNormInputs(op, inputs);
  const { normalised } = normalise(op, inputs);
  const weight = inputs.weight && loadFloat64(op, 'weight', inputs.weight);
  const bias = inputs.bias && loadFloat64(op, 'bias', inputs.bias);
  const out = normalised.map((value, i) => value * (weight?.[i % dim] ?? 1) + (bias?.[i % dim] ?? 0));
  return float64Tensor(out, inputs.x.shape);
}

/**
 * Gradients for the upstream gradient `gradOut` (..., D), with t = gradOut * weight:
 *   gradX = r (t - mean(t) - n mean(t n)),  gradWeight = sum over rows of gradOut n,  gradBias = sum of gradOut
 * @throws {StatespaceError} naming the argument that does not fit.
 */
export function layerNormBackwardRef(
  args: LayerNormInputs & Pick<LayerNormBackwardArgs, 'gradOut'>,
): LayerNormGradients {
  const op = 'layerNormBackward';
  const { rows, dim } = checkLayerNormInputs(op, args);
  expectInput(op, 'gradOut', args.gradOut, { shape: args.x.shape });
  const { normalised, scale } = normalise(op, args);
  const weight = args.weight && loadFloat64(op, 'weight', args.weight);
  const upstream = loadFloat64(op, 'gradOut', args.gradOut);
  const gradX = new Float64Array(normalised.length);
  const gradWeight = new Float64Array(dim);
  const gradBias = new Float64Array(dim);
  for (let row = 0; row < rows; row++) {
    let meanT = 0;
    let meanTN = 0;
    for (let d = 0; d < dim; d++) {
      const g = upstream[row * dim + d] as number;
      const n = normalised[row * dim + d] as number;
      const t = g * (weight?.[d] ?? 1);
      meanT += t / dim;
      meanTN += (t * n) / dim;
      gradWeight[d] = (gradWeight[d] as number) + g * n;
      gradBias[d] = (gradBias[d] as number) + g;
    }
    for (let d = 0; d < dim; d++) {
      const t = (upstream[row * dim + d] as number) * (weight?.[d] ?? 1);
      const centred = t - meanT - (normalised[row * dim + d] as number) * meanTN;
      gradX[row * dim + d] = (scale[row] as number) * centred;
    }
  }
  return {
    gradX: float64Tensor(gradX, args.x.shape),
    gradWeight: float64Tensor(gradWeight, [dim]),
    gradBias: float64Tensor(gradBias, [dim]),
  };
}

/** n for every entry and r for every row. The variance is summed about the mean: no cancellation. */
function normalise(op: string, inputs: LayerNormInputs) {
  const { rows, dim } = checkLayerNormInputs(op, inputs);
  const normalised = loadFloat64(op, 'x', inputs.x);
  const scale = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = normalised.subarray(row * dim, (row + 1) * dim);
    let mean = 0;
    for (const value of values) mean += value;
    mean /= dim;
    let variance = 0;
    for (const value of values) variance += (value - mean) * (value - mean);
    variance /= dim;
    const r = 1 / Math.sqrt(variance + inputs.eps);
    for (let d = 0; d < dim; d++) values[d] = ((values[d] as number) - mean) * r;
    scale[row] = r;
  }
  return { normalised, scale };
}
