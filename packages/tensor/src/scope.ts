/** Deterministic memory: a scope frees what was made inside it, except what leaves it. */
import { ArgumentError } from '@statespace/ssd-core';
import { Tensor } from './tensor.js';

interface Scope {
  readonly tensors: Tensor[];
  readonly parent: Scope | undefined;
}

let current: Scope | undefined;

/** Hands a new tensor to the innermost scope; outside of scopes the garbage collector is its net. */
export function track(tensor: Tensor): void {
  if (current === undefined) tensor.storage.watch();
  else current.tensors.push(tensor);
}

/** Takes `tensor` out of every scope: from now on only `dispose()`, or the garbage collector, frees it. */
export function keep<T extends Tensor>(tensor: T): T {
  tensor.pinned = true;
  tensor.storage.watch();
  return tensor;
}

/**
 * Runs `fn` and frees every tensor made in it, except those it returns (also inside arrays, maps, sets and
 * objects), parameters, and gradients of tensors that live on. Scopes nest; what leaves an inner one belongs to
 * the outer one.
 * @throws {ArgumentError} when `fn` is asynchronous: its tensors would be freed while it still runs.
 */
export function scope<T>(fn: () => T): T {
  refuseAsyncFunction('scope', fn);
  const own: Scope = { tensors: [], parent: current };
  current = own;
  let result: T;
  try {
    result = fn();
    refusePromise('scope', result);
  } catch (error) {
    current = own.parent;
    leave(own, nothing);
    throw error;
  }
  current = own.parent;
  leave(own, tensorsIn(result));
  return result;
}

function leave({ tensors, parent }: Scope, kept: ReadonlySet<Tensor>): void {
  for (const tensor of tensors) {
    if (tensor.pinned || tensor.disposed) continue;
    if (!kept.has(tensor)) tensor.dispose();
    else if (parent !== undefined) parent.tensors.push(tensor);
    else tensor.storage.watch();
  }
  // A graph that left the scope still holds what it saved; should it be dropped, only the collector can tell.
  for (const { storage } of tensors) if (storage.references > 0) storage.watch();
}

const nothing: ReadonlySet<Tensor> = new Set();

/** Every tensor reachable from `value` through arrays, maps, sets and own properties of objects. */
function tensorsIn(value: unknown): ReadonlySet<Tensor> {
  if (typeof value !== 'object' || value === null) return nothing;
  if (value instanceof Tensor) return new Set([value]);
  const found = new Set<Tensor>();
  const seen = new Set<object>();
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item) || seen.has(item)) continue;
    if (item instanceof Tensor) {
      found.add(item);
      continue;
    }
    seen.add(item);
    if (item instanceof Map) for (const pair of item) pending.push(...pair);
    else for (const part of item instanceof Set ? item : Object.values(item)) pending.push(part);
  }
  return found;
}

/** Refuses an `async` function before it has made anything. */
export function refuseAsyncFunction(op: string, fn: () => unknown): void {
  if (Object.prototype.toString.call(fn) === '[object AsyncFunction]') throw asyncError(op);
}

/** Refuses a promise that a plain function returned. */
export function refusePromise(op: string, result: unknown): void {
  if (typeof result !== 'object' || result === null) return;
  if (typeof (result as { then?: unknown }).then === 'function') throw asyncError(op);
}

function asyncError(op: string): ArgumentError {
  return new ArgumentError({
    op,
    argument: 'fn',
    wanted: 'a function that returns before it is done',
    got: 'an asynchronous one',
    hint: 'Await outside, and open one scope per synchronous step',
  });
}
