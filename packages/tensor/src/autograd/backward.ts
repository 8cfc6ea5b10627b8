/** Reverse mode: walks the graph from a result to its leaves, once, and frees it on the way. */
import { ArgumentError, formatShape, ShapeError } from '@statespace/ssd-core';
import { emptyLike, onesLike } from '../create.js';
import { contiguousCopy } from '../ops/layout.js';
import { scope } from '../scope.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { type BackwardCall, checkUsable, type Edge, type GraphNode, type MaybeTensor } from './graph.js';
import { noGrad } from './mode.js';

let passes = 0;

/**
 * Adds d(sum(grad * root))/d(leaf) to the `grad` of every leaf that `root` depends on.
 * @throws {ArgumentError} without a graph, with a graph already used, or for a result that is not one number and
 * no `grad`. @throws {ShapeError} when `grad` has another shape.
 */
export function backward(root: Tensor, grad?: Tensor): void {
  checkRoot(root, grad);
  noGrad(() => scope(() => run(root, grad)));
}

function run(root: Tensor, grad: MaybeTensor): void {
  const seed = grad ?? onesLike(root);
  const { node } = root;
  if (node === undefined) {
    addToLeaf(root, seed);
    return;
  }
  const order = reachable(node);
  const start = seed.alias();
  node.pending[root.nodeOutput] = start;
  try {
    for (const step of order) {
      differentiate(step, grad === undefined ? start : undefined);
      step.free();
    }
  } finally {
    // Also after an error: nothing of the pass may outlive it.
    for (const step of order) {
      clearPending(step);
      step.free();
      step.release();
    }
  }
}

function checkRoot(root: Tensor, grad: MaybeTensor): void {
  checkUsable('backward', 'tensor', root);
  if (!root.requiresGrad) {
    throw new ArgumentError({
      op: 'backward',
      argument: 'tensor',
      wanted: 'a result of tensors that require gradients',
      got: root.isGradient ? 'one made from gradients' : 'one that does not',
      hint: root.isGradient
        ? 'Only first derivatives exist: gradients cannot be differentiated again'
        : 'Set requiresGrad on an input, and compute outside of noGrad',
    });
  }
  if (grad === undefined) {
    if (root.size === 1) return;
    throw new ArgumentError({
      op: 'backward',
      argument: 'grad',
      wanted: `a gradient of shape ${formatShape(root.shape)}, since the tensor is not a single number`,
      got: 'none',
    });
  }
  checkUsable('backward', 'grad', grad);
  if (grad.requiresGrad) {
    throw new ArgumentError({
      op: 'backward',
      argument: 'grad',
      wanted: 'a constant',
      got: 'a tensor that requires a gradient',
      hint: 'Only first derivatives exist; detach() it',
    });
  }
  if (!sameShape(grad.shape, root.shape)) {
    throw new ShapeError({
      op: 'backward',
      argument: 'grad',
      wanted: formatShape(root.shape),
      got: formatShape(grad.shape),
    });
  }
}

/** Every node that `root` depends on, itself first, each held so that it outlives its turn. */
function reachable(root: GraphNode): GraphNode[] {
  passes += 1;
  const found: GraphNode[] = [root];
  root.visitedBy = passes;
  for (let next = 0; next < found.length; next++) {
    for (const edge of (found[next] as GraphNode).edges) {
      const node = edge?.node;
      if (node === undefined || node.visitedBy === passes) continue;
      node.visitedBy = passes;
      found.push(node);
    }
  }
  for (const node of found) {
    node.checkAlive();
    node.checkSaved();
  }
  for (const node of found) node.references += 1;
  return found.sort((a, b) => b.sequence - a.sequence);
}

/** Runs the rule of one node and hands its gradients on. */
function differentiate(node: GraphNode, unitSeed: MaybeTensor): void {
  const grads = node.pending.slice();
  const first = grads.find((grad) => grad !== undefined);
  if (first === undefined) return;
  const call: BackwardCall<readonly MaybeTensor[]> = {
    grad: grads[0] ?? first,
    grads,
    saved: node.saved,
    needs: node.needs,
    unit: grads[0] !== undefined && grads[0] === unitSeed,
    target: (index) => {
      const edge = node.edges[index];
      const sofar = edge === undefined ? undefined : gathered(edge);
      if (sofar === undefined || !isOwnBuffer(sofar)) return undefined;
      sofar.storage.version += 1;
      return sofar;
    },
  };
  scope(() => {
    const results = node.rule(call);
    for (let i = 0; i < node.edges.length; i++) {
      const edge = node.edges[i];
      const result = results[i];
      if (edge !== undefined && result !== undefined) deliver(node.op, i, edge, result);
    }
  });
  clearPending(node);
}

function clearPending(node: GraphNode): void {
  for (let i = 0; i < node.pending.length; i++) {
    node.pending[i]?.dispose();
    node.pending[i] = undefined;
  }
}

function gathered({ leaf, node, output }: Edge): MaybeTensor {
  return leaf === undefined ? node?.pending[output] : leaf.grad;
}

/** Whether nobody else sees the memory of `tensor`, so that it may be changed in place. */
function isOwnBuffer(tensor: Tensor): boolean {
  return tensor.storage.references === 1 && tensor.isContiguous;
}

function deliver(op: string, index: number, edge: Edge, grad: Tensor): void {
  if (grad === gathered(edge)) return;
  if (!sameShape(grad.shape, edge.shape)) {
    throw new ShapeError({
      op: `${op} backward`,
      argument: `gradient of input ${index}`,
      wanted: formatShape(edge.shape),
      got: formatShape(grad.shape),
    });
  }
  if (edge.leaf !== undefined) addToLeaf(edge.leaf, grad);
  else if (edge.node !== undefined) addToNode(edge.node, edge.output, grad);
}

function addToNode(node: GraphNode, output: number, grad: Tensor): void {
  const sofar = node.pending[output];
  if (sofar === undefined) {
    // The rule's scope frees its own handle; this one holds the memory until the node's turn.
    node.pending[output] = grad.alias();
  } else if (isOwnBuffer(sofar)) {
    sofar.kernels.accumulate({ x: grad, out: sofar });
  } else {
    node.pending[output] = sumOf(sofar, grad).alias();
    sofar.dispose();
  }
}

function addToLeaf(leaf: Tensor, grad: Tensor): void {
  // A leaf that was disposed has no reader for its gradient any more.
  if (leaf.disposed) return;
  const sofar = leaf.grad;
  if (sofar === undefined) {
    const whole = isOwnBuffer(grad) && grad.storage.buffer.length === grad.size;
    leaf.grad = whole ? grad.alias() : contiguousCopy(grad).alias();
  } else if (isOwnBuffer(sofar)) {
    sofar.kernels.accumulate({ x: grad, out: sofar });
    sofar.storage.version += 1;
  } else {
    leaf.grad = sumOf(sofar, grad).alias();
  }
}

function sumOf(a: Tensor, b: Tensor): Tensor {
  const out = emptyLike(a);
  a.kernels.binary({ op: 'add', a, b, out });
  return out;
}
