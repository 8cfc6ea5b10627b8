/**
 * RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467) with the optional gate of Mamba-2's output norm.
 *
 *   gate before:  y = x * SiLU(gate);  out = y r w            r = (mean over the group of y^2 + eps)^(-1/2)
 *   gate after:   y = x;               out = y r w * SiLU(gate)
 */
import type { RmsNormBackwardArgs, RmsNormInputs } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { expectInput } from '../../tensor-checks.js';
import { silu, siluDerivative } from '../activations.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { checkRmsNormInputs } from './shapes.js';

/** Gradients of `rmsNormRef`, of the shapes of x, weight and gate. */
export interface RmsNormGradients {
  readonly gradX: Float64Tensor;
  readonly gradWeight: Float64Tensor;
  readonly gradGate: Float64Tensor | undefined;
}

/** The normalised x, (..., D). @throws {StatespaceError} naming the argument that does not fit. */
export function rmsNormRef(inputs: RmsNormInputs): Float64Tensor {
  const { dim } = checkRmsNormInputs('rmsNorm', inputs);
  const { normalised, gateValue } = normalise('rmsNorm', inputs);
  const weight = loadFloat64('rmsNorm', 'weight', inputs.weight);
  const out = normalised.map((value, i) => {
    const weighted = value * (weight[i % dim] as number);
    return inputs.gateAfterNorm ? weighted * (gateValue?.[i] as number) : weighted;
  });
  return float64Tensor(out, inputs.x.shape);
}

/**
 * Gradients for the upstream gradient `gradOut` (..., D). With n = y r, t = (gradient of n r's product) * w:
 *   gradY = r (t - n mean(t n)),  gradWeight = sum over rows of gradOut n (times SiLU(gate) where it comes after)
 * @throws {StatespaceError} naming the argument that does not fit.
 */
export function rmsNormBackwardRef(
  args: RmsNormInputs & Pick<RmsNormBackwardArgs, 'gradOut'>,
): RmsNormGradients {
  const op = 'rmsNormBackward';
  const { rows, dim, groupSize } = checkRmsNormInputs(op, args);
  expectInput(op, 'gradOut', args.gradOut, { shape: args.x.shape });
  const { x, gate, gateValue, normalised, scale } = normalise(op, args);
  const weight = loadFloat64(op, 'weight', args.weight);
  const upstream = loadFloat64(op, 'gradOut', args.gradOut);
  const gradX = new Float64Array(x.length);
  const gradWeight = new Float64Array(dim);
  const gradGate = gate === undefined ? undefined : new Float64Array(x.length);
  const after = args.gateAfterNorm ?? false;

  for (let start = 0; start < rows * dim; start += groupSize) {
    const groupScale = scale[start / groupSize] as number;
    let projection = 0;
    for (let i = start; i < start + groupSize; i++) {
      const gated = (upstream[i] as number) * (after ? (gateValue?.[i] as number) : 1);
      projection += gated * (weight[i % dim] as number) * (normalised[i] as number);
    }
    projection /= groupSize;
    for (let i = start; i < start + groupSize; i++) {
      const channel = i % dim;
      const n = normalised[i] as number;
      const w = weight[channel] as number;
      const gated = (upstream[i] as number) * (after ? (gateValue?.[i] as number) : 1);
      const gradY = groupScale * (gated * w - n * projection);
      gradWeight[channel] = (gradWeight[channel] as number) + gated * n;
      gradX[i] = gate === undefined || after ? gradY : gradY * (gateValue?.[i] as number);
      if (gate !== undefined && gradGate !== undefined) {
        const inner = after ? (upstream[i] as number) * n * w : gradY * (x[i] as number);
        gradGate[i] = inner * siluDerivative(gate[i] as number);
      }
    }
  }
  const { shape } = args.x;
  return {
    gradX: float64Tensor(gradX, shape),
    gradWeight: float64Tensor(gradWeight, [dim]),
    gradGate: gradGate && float64Tensor(gradGate, shape),
  };
}

/** y r for every entry, and what it was made of; `scale` holds r for each group. */
function normalise(op: string, inputs: RmsNormInputs) {
  const { groupSize } = checkRmsNormInputs(op, inputs);
  const x = loadFloat64(op, 'x', inputs.x);
  const gate = inputs.gate === undefined ? undefined : loadFloat64(op, 'gate', inputs.gate);
  const gateValue = gate?.map(silu);
  const before = gateValue !== undefined && !inputs.gateAfterNorm;
  const normalised = before ? x.map((value, i) => value * (gateValue[i] as number)) : x.slice();
  const scale = new Float64Array(groupSize === 0 ? 0 : x.length / groupSize);
  for (let group = 0; group < scale.length; group++) {
    const values = normalised.subarray(group * groupSize, (group + 1) * groupSize);
    let squares = 0;
    for (const value of values) squares += value * value;
    const r = 1 / Math.sqrt(squares / groupSize + inputs.eps);
    for (let i = 0; i < groupSize; i++) values[i] = (values[i] as number) * r;
    scale[group] = r;
  }
  return { x, gate, gateValue, normalised, scale };
}
