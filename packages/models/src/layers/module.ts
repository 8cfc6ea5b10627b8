/** The base of everything that has parameters. */
import { CheckpointError, formatShape } from '@statespace/ssd-core';
import type { Parameter, Tensor } from '@statespace/tensor';

/** A named part of a module. */
export type ModuleEntry = readonly [string, Parameter | Module];

/** A tree of named parameters; the names are those of Hugging Face checkpoints. */
export abstract class Module {
  /** Own parameters and children, in a fixed order; a parameter that appears twice is listed once. */
  protected abstract entries(): readonly ModuleEntry[];

  /** All parameters with their dotted names, in a fixed order. */
  namedParameters(): [string, Parameter][] {
    return this.entries().flatMap(([name, part]): [string, Parameter][] =>
      part instanceof Module
        ? part.namedParameters().map(([rest, parameter]) => [`${name}.${rest}`, parameter])
        : [[name, part]],
    );
  }

  /** All parameters, in the order of `namedParameters`. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** Number of trained numbers. */
  get parameterCount(): number {
    return this.parameters().reduce((count, { size }) => count + size, 0);
  }

  /** The parameters by name: the tensors themselves, no copies. */
  state(): Map<string, Tensor> {
    return new Map(this.namedParameters());
  }

  /**
   * Copies `state` into the parameters; nothing changes unless every name and shape fits.
   * @throws {CheckpointError} naming what is missing, unexpected or of another shape.
   */
  loadState(state: ReadonlyMap<string, Tensor>): void {
    this.checkShapes(new Map([...state].map(([name, { shape }]) => [name, shape])));
    for (const [name, parameter] of this.namedParameters()) parameter.copyFrom(state.get(name) as Tensor);
  }

  /**
   * Whether tensors of these names and shapes are the parameters of this module.
   * @throws {CheckpointError} naming what is missing, unexpected or of another shape.
   */
  checkShapes(shapes: ReadonlyMap<string, readonly number[]>): void {
    const own = this.namedParameters();
    const names = new Set(own.map(([name]) => name));
    const missing = own.filter(([name]) => !shapes.has(name)).map(([name]) => name);
    const unexpected = [...shapes.keys()].filter((name) => !names.has(name));
    if (missing.length > 0 || unexpected.length > 0) {
      const parts = [
        ...(missing.length > 0 ? [`without ${shortList(missing)}`] : []),
        ...(unexpected.length > 0 ? [`with unexpected ${shortList(unexpected)}`] : []),
      ];
      throw new CheckpointError({
        op: 'loadState',
        argument: (missing[0] ?? unexpected[0]) as string,
        wanted: `exactly the ${own.length} tensors of the model`,
        got: `a state ${parts.join(' and ')}`,
      });
    }
    for (const [name, parameter] of own) {
      const shape = shapes.get(name) as readonly number[];
      if (formatShape(shape) === formatShape(parameter.shape)) continue;
      throw new CheckpointError({
        op: 'loadState',
        argument: name,
        wanted: formatShape(parameter.shape),
        got: formatShape(shape),
      });
    }
  }

  /** Frees all parameters. */
  dispose(): void {
    for (const parameter of this.parameters()) parameter.dispose();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
