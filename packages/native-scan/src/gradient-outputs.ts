/** Outputs of backward passes: one per input whose gradient is wanted. */
import { ArgumentError, type TensorLike, tensorDType } from '@statespace/ssd-core';
import { makeOutput, type Output, type SequenceLayout } from './layout.js';
import type { CallOptions, Outputs } from './planned-call.js';

/**
 * The gradients to compute: those asked for, or of every input that is there.
 * @throws {ArgumentError} for a name that is no gradient of `op`, the gradient of an absent input, or a buffer for a
 * gradient that is not computed.
 */
export function wantedGradients<Name extends string>(
  op: string,
  names: readonly Name[],
  sources: Readonly<Record<Name, TensorLike | undefined>>,
  options: BackwardOptions<Name>,
): readonly Name[] {
  const wanted = namedGradients(op, names, sources, options.gradients);
  const idle = names.find((name) => options[name] !== undefined && !wanted.includes(name));
  if (idle !== undefined) {
    throw new ArgumentError({
      op,
      argument: idle,
      wanted: 'no buffer for a gradient that is not computed',
      got: 'one',
    });
  }
  return wanted;
}

function namedGradients<Name extends string>(
  op: string,
  names: readonly Name[],
  sources: Readonly<Record<Name, TensorLike | undefined>>,
  asked: readonly Name[] | undefined,
): readonly Name[] {
  if (asked === undefined) return names.filter((name) => sources[name] !== undefined);
  for (const name of asked) {
    if (!names.includes(name)) {
      throw new ArgumentError({
        op,
        argument: 'gradients',
        wanted: `names among ${names.join(', ')}`,
        got: `'${String(name)}'`,
      });
    }
    if (sources[name] === undefined) {
      throw new ArgumentError({
        op,
        argument: 'gradients',
        wanted: 'gradients of inputs that are given',
        got: name,
      });
    }
  }
  return asked;
}

/** Options of the backward passes: which gradients, and where to put them, each under its own name. */
export type BackwardOptions<Name extends string> = CallOptions & {
  /** Which gradients to compute. Default: of every input that is given. */
  readonly gradients?: readonly Name[];
} & {
  /**
   * Where to put this gradient, of its input's shape and format; contiguous unless it has a length. A fresh array when
   * absent.
   */
  readonly [name in Name]?: TensorLike;
};

export interface GradientRequest<Name extends string> {
  readonly op: string;
  /** The input of each gradient, with its length second. */
  readonly sources: Readonly<Record<Name, TensorLike | undefined>>;
  readonly wanted: readonly Name[];
  /** The caller's own arrays. */
  readonly given: { readonly [name in Name]?: TensorLike | undefined };
  /** The caller's layout for sequence tensors, `'bld'` for all others. */
  readonly layout: (name: Name) => SequenceLayout;
  /** Whether the last axis of a gradient holds (re, im). */
  readonly pairs?: (name: Name) => boolean;
}

export function gradientOutputs<Name extends string>({
  op,
  sources,
  wanted,
  given,
  layout,
  pairs,
}: GradientRequest<Name>): Outputs<Name> {
  const outputs: Partial<Record<Name, Output>> = {};
  for (const name of wanted) {
    const source = sources[name] as TensorLike;
    outputs[name] = makeOutput({
      op,
      argument: name,
      shape: source.shape,
      dtype: tensorDType(source),
      given: given[name],
      layout: layout(name),
      pairs: pairs?.(name) ?? false,
    });
  }
  return outputs;
}
