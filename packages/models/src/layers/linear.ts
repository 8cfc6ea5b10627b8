/** Affine map of the last axis. */
import { linear, type Parameter, type Tensor } from '@statespace/tensor';
import { Module, type ModuleEntry } from './module.js';
import { constant, fanInUniform, type InitialValues, type ParameterSource } from './parameter-source.js';

export interface LinearOptions {
  /** Default false. */
  readonly bias?: boolean;
  /** Default: Kaiming-uniform over the inputs. */
  readonly weight?: InitialValues;
}

/** y = x W^T + b; x (..., inputs), W (outputs, inputs), b (outputs), y (..., outputs). */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(source: ParameterSource, inputs: number, outputs: number, options: LinearOptions = {}) {
    super();
    this.weight = source.create([outputs, inputs], options.weight ?? fanInUniform(inputs), { decay: true });
    this.bias = options.bias === true ? source.create([outputs], constant(0), { decay: false }) : undefined;
  }

  protected entries(): readonly ModuleEntry[] {
    return this.bias === undefined
      ? [['weight', this.weight]]
      : [
          ['weight', this.weight],
          ['bias', this.bias],
        ];
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
