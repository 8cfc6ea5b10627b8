/** What optimisers share: the parameters, the learning rate, and a state that can be saved. */
import { ArgumentError, CheckpointError, formatShape } from '@statespace/ssd-core';
import { noGrad } from '../autograd/mode.js';
import { tensor, zerosLike } from '../create.js';
import { Parameter } from '../parameter.js';
import { keep, scope } from '../scope.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { constantSchedule, type Schedule } from './schedules.js';

export type NamedParameters = Iterable<readonly [name: string, parameter: Parameter]>;

export interface OptimizerOptions {
  /** Base learning rate. */
  readonly lr: number;
  /** Factor on the rate by steps done. Default: constant. */
  readonly schedule?: Schedule;
}

export interface StepOptions {
  /** Factor on every gradient, one number in device memory, as from `clipGradNorm`. Default 1. */
  readonly gradScale?: Tensor;
}

/** One parameter with the optimiser's own tensors for it, by name. */
export interface Slot {
  readonly name: string;
  readonly parameter: Parameter;
  readonly state: Readonly<Record<string, Tensor>>;
}

/** Base of optimisers. The rate of a step is lr * schedule(steps done) * the parameter's lrScale. */
export abstract class Optimizer {
  /** Base learning rate; may be set at any time. */
  lr: number;
  protected readonly slots: readonly Slot[];
  private readonly schedule: Schedule;
  private done = 0;

  constructor(
    protected readonly op: string,
    parameters: NamedParameters,
    stateNames: readonly string[],
    { lr, schedule = constantSchedule() }: OptimizerOptions,
  ) {
    checkRange(op, 'lr', lr, lr >= 0 && Number.isFinite(lr), 'a finite number >= 0');
    this.lr = lr;
    this.schedule = schedule;
    this.slots = slotsOf(op, parameters, stateNames);
  }

  /** Steps done so far. */
  get steps(): number {
    return this.done;
  }
  /** Learning rate of the next step, before each parameter's own factor. */
  get currentLr(): number {
    return this.lr * this.schedule(this.done);
  }

  /** Changes every parameter that has a gradient by one step. */
  step({ gradScale }: StepOptions = {}): void {
    if (gradScale !== undefined && gradScale.size !== 1) {
      throw new ArgumentError({
        op: `${this.op}.step`,
        argument: 'gradScale',
        wanted: 'one number',
        got: formatShape(gradScale.shape),
      });
    }
    noGrad(() => scope(() => this.update(gradScale)));
    for (const { parameter } of this.slots) {
      if (parameter.grad !== undefined) parameter.storage.version += 1;
    }
    this.done += 1;
  }

  /** Drops all gradients; the next backward makes new ones without adding to zeros. */
  zeroGrad(): void {
    for (const { parameter } of this.slots) parameter.grad = undefined;
  }

  /**
   * The state by name, `<tensor>.<parameter>` and the counters: what `loadStateDict` needs to go on with the same
   * bits. The tensors share the optimiser's memory: write them out before the next step.
   */
  stateDict(): Record<string, Tensor> {
    const entries: [string, Tensor][] = [];
    for (const { name, state } of this.slots) {
      for (const [part, value] of Object.entries(state)) entries.push([`${part}.${name}`, value.detach()]);
    }
    for (const [name, value] of Object.entries(this.counters())) entries.push([name, counterTensor(value)]);
    return Object.fromEntries(entries);
  }

  /** Takes over what `stateDict` gave. @throws {CheckpointError} when a name or shape does not fit. */
  loadStateDict(saved: Readonly<Record<string, Tensor>>): void {
    const expected = this.stateDict();
    const op = `${this.op}.loadStateDict`;
    for (const name of Object.keys(saved)) {
      if (Object.hasOwn(expected, name)) continue;
      throw new CheckpointError({
        op,
        argument: name,
        wanted: 'a name of this optimiser',
        got: 'an unknown one',
      });
    }
    for (const [name, target] of Object.entries(expected)) {
      const value = saved[name];
      if (value !== undefined && sameShape(value.shape, target.shape)) continue;
      throw new CheckpointError({
        op,
        argument: name,
        wanted: `a tensor of shape ${formatShape(target.shape)}`,
        got: value === undefined ? 'nothing' : formatShape(value.shape),
      });
    }
    // Checked as a whole first: a state is taken over entirely or not at all.
    for (const { name, state } of this.slots) {
      for (const [part, value] of Object.entries(state)) value.copyFrom(saved[`${part}.${name}`] as Tensor);
    }
    const counters: Record<string, number> = {};
    for (const name of Object.keys(this.counters())) counters[name] = (saved[name] as Tensor).item();
    this.setCounters(counters);
    for (const value of Object.values(expected)) value.dispose();
  }

  /** Frees the optimiser's own tensors; parameters stay. */
  dispose(): void {
    for (const { state } of this.slots) for (const value of Object.values(state)) value.dispose();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  protected abstract update(gradScale: Tensor | undefined): void;

  protected counters(): Record<string, number> {
    return { steps: this.done };
  }
  protected setCounters(counters: Readonly<Record<string, number>>): void {
    this.done = counters.steps as number;
  }
}

function slotsOf(op: string, parameters: NamedParameters, stateNames: readonly string[]): Slot[] {
  const slots: Slot[] = [];
  const names = new Set<string>();
  const seen = new Set<Parameter>();
  for (const [name, parameter] of parameters) {
    if (!(parameter instanceof Parameter)) {
      throw new ArgumentError({ op, argument: name, wanted: 'a Parameter', got: String(parameter) });
    }
    if (names.has(name)) {
      throw new ArgumentError({ op, argument: name, wanted: 'each name once', got: 'it twice' });
    }
    names.add(name);
    // A tied parameter has two names and takes one step.
    if (seen.has(parameter)) continue;
    seen.add(parameter);
    const state = Object.fromEntries(stateNames.map((part) => [part, keep(zerosLike(parameter))]));
    slots.push({ name, parameter, state });
  }
  return slots;
}

/** Counters are float64 on the host device: exact, and the same in every checkpoint. */
function counterTensor(value: number): Tensor {
  return tensor(new Float64Array([value]), { device: 'reference' });
}

/** @throws {ArgumentError} unless `fits`. */
export function checkRange(op: string, argument: string, value: number, fits: boolean, wanted: string): void {
  if (!fits) throw new ArgumentError({ op, argument, wanted, got: String(value) });
}
