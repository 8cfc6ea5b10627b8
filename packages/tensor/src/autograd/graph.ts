/** The graph that hangs on tensors: one node per recorded op, alive as long as a result or a later node needs it. */
import { ArgumentError, DisposedError } from '@statespace/ssd-core';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { isGradEnabled } from './mode.js';

export type MaybeTensor = Tensor | undefined;

/** What a backward rule gets. `S` are the tensors that the forward op saved, in the same order. */
export interface BackwardCall<S extends readonly MaybeTensor[]> {
  /** Gradient of the only output, or of the first. Rules of ops with several outputs read `grads`. */
  readonly grad: Tensor;
  /** Gradients of all outputs; undefined where nothing flowed back. */
  readonly grads: readonly MaybeTensor[];
  readonly saved: S;
  /** Which inputs want a gradient; the others must not be computed. */
  readonly needs: readonly boolean[];
  /** The gradient is the constant 1 that `backward()` starts with. */
  readonly unit: boolean;
  /**
   * The gradient that input `index` has so far, where it may be added to in place. A rule that adds its part
   * returns this very tensor; it spares a buffer and a pass over it.
   */
  target(index: number): MaybeTensor;
}

/** Gradients of the inputs, in their order; undefined for those not needed. */
export type BackwardRule<S extends readonly MaybeTensor[]> = (
  call: BackwardCall<S>,
) => readonly MaybeTensor[];

/** Where a gradient goes: to a leaf tensor, or to one output of an earlier node. */
export interface Edge {
  readonly leaf: MaybeTensor;
  readonly node: GraphNode | undefined;
  readonly output: number;
  readonly shape: Shape;
}

let created = 0;

export class GraphNode {
  /** Inputs are made before outputs, so falling sequence numbers are a topological order. */
  readonly sequence = created++;
  /** Live output tensors and nodes that lead here. */
  references = 0;
  /** Backward pass that met this node last. */
  visitedBy = 0;
  freed = false;
  edges: readonly (Edge | undefined)[];
  saved: readonly MaybeTensor[];
  readonly needs: readonly boolean[];
  /** Gradients of the outputs gathered so far in the running pass. */
  readonly pending: MaybeTensor[];
  private readonly versions: readonly number[];

  constructor(
    readonly op: string,
    outputs: readonly Tensor[],
    inputs: readonly MaybeTensor[],
    saved: readonly MaybeTensor[],
    readonly rule: BackwardRule<readonly MaybeTensor[]>,
  ) {
    this.pending = new Array<MaybeTensor>(outputs.length).fill(undefined);
    this.needs = inputs.map((input) => input?.requiresGrad === true);
    this.edges = inputs.map(edgeTo);
    this.saved = saved.map((tensor) => tensor?.alias());
    this.versions = saved.map((tensor) => tensor?.storage.version ?? 0);
  }

  /** @throws {ArgumentError} when backward ran before. */
  checkAlive(): void {
    if (!this.freed) return;
    throw new ArgumentError({
      op: 'backward',
      argument: this.op,
      wanted: 'a graph that backward has not gone through yet',
      got: 'one that was freed by an earlier backward',
      hint: 'Run the forward pass again, or add the losses up before one backward',
    });
  }

  /** @throws {ArgumentError} when a saved tensor was changed in place since. */
  checkSaved(): void {
    for (let i = 0; i < this.saved.length; i++) {
      const tensor = this.saved[i];
      if (tensor === undefined || tensor.storage.version === this.versions[i]) continue;
      throw new ArgumentError({
        op: 'backward',
        argument: this.op,
        wanted: 'the values that the forward pass saw',
        got: `saved tensor ${i} changed in place since`,
        hint: 'Change tensors in place only after backward, or clone them first',
      });
    }
  }

  /** Drops saved tensors and edges; nodes that nobody else leads to go too. Iterative: graphs are deep. */
  free(): void {
    const orphans: GraphNode[] = [];
    this.strip(orphans);
    releaseAll(orphans);
  }

  release(): void {
    releaseAll([this]);
  }

  private strip(orphans: GraphNode[]): void {
    if (this.freed) return;
    this.freed = true;
    for (const tensor of this.saved) tensor?.dispose();
    for (const edge of this.edges) if (edge?.node !== undefined) orphans.push(edge.node);
    this.saved = [];
    this.edges = [];
  }

  /** Counts one holder less; strips the node when none is left. */
  static drop(node: GraphNode, orphans: GraphNode[]): void {
    node.references -= 1;
    if (node.references <= 0) node.strip(orphans);
  }
}

function releaseAll(nodes: GraphNode[]): void {
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) GraphNode.drop(node, nodes);
}

function edgeTo(input: MaybeTensor): Edge | undefined {
  if (input === undefined || !input.requiresGrad) return undefined;
  const { node } = input;
  if (node === undefined) return { leaf: input, node, output: 0, shape: input.shape };
  node.references += 1;
  return { leaf: undefined, node, output: input.nodeOutput, shape: input.shape };
}

/**
 * Enters an op into the graph when one of its inputs requires a gradient and recording is on.
 * `saved` are kept alive until backward, or until nothing leads to the node any more.
 */
export function record<const S extends readonly MaybeTensor[]>(
  op: string,
  outputs: readonly Tensor[],
  inputs: readonly MaybeTensor[],
  saved: S,
  rule: BackwardRule<S>,
): void {
  let wanted = false;
  let fromGradient = false;
  for (const input of inputs) {
    if (input === undefined) continue;
    if (input.requiresGrad) wanted = true;
    if (input.isGradient) fromGradient = true;
  }
  if (fromGradient) for (const output of outputs) output.isGradient = true;
  if (!wanted || !isGradEnabled()) return;
  const node = new GraphNode(
    op,
    outputs,
    inputs,
    saved,
    rule as unknown as BackwardRule<readonly MaybeTensor[]>,
  );
  for (let i = 0; i < outputs.length; i++) (outputs[i] as Tensor).attach(node, i);
}

/** @throws {DisposedError} */
export function checkUsable(op: string, argument: string, tensor: Tensor): void {
  if (tensor.disposed) {
    throw new DisposedError({
      op,
      argument,
      wanted: 'a live tensor',
      got: 'one that was disposed',
      hint: 'Return it from its scope, or keep() it',
    });
  }
}
