/** Trainable tensors and what an optimiser should know about them. */
import { Tensor } from './tensor.js';

export interface ParameterOptions {
  /** Name for messages; usually given by the module that owns the parameter. */
  readonly name?: string;
  /** Factor on the learning rate. Default 1. */
  readonly lrScale?: number;
  /** Whether weight decay applies. Default true. */
  readonly decay?: boolean;
}

/** A leaf tensor that requires a gradient, and that no scope frees. */
export class Parameter extends Tensor {
  name: string | undefined;
  /** Factor on the learning rate. */
  lrScale: number;
  /** Whether weight decay applies. */
  decay: boolean;

  /** @internal Use `parameter()`. */
  constructor(source: Tensor, { name, lrScale = 1, decay = true }: ParameterOptions) {
    super(source.storage.retain(), source.shape, source.strides, source.offset, false);
    this.pinned = true;
    this.storage.watch();
    this.name = name;
    this.lrScale = lrScale;
    this.decay = decay;
    this.requiresGrad = true;
  }
}

/** Takes the values of `source` over, which is disposed; a view is copied, so that no other tensor sees updates. */
export function parameter(source: Tensor, options: ParameterOptions = {}): Parameter {
  const whole =
    source.isContiguous && source.storage.references === 1 && source.storage.buffer.length === source.size;
  const own = whole ? source : source.clone();
  const result = new Parameter(own, options);
  own.dispose();
  source.dispose();
  return result;
}
