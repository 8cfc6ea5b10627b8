/** Whether ops record what backward needs. */
import { refuseAsyncFunction, refusePromise } from '../scope.js';

let paused = 0;

/** Whether ops on tensors that require gradients join the graph now. */
export function isGradEnabled(): boolean {
  return paused === 0;
}

/**
 * Runs `fn` without recording a graph: for evaluation, generation and updates by hand.
 * @throws {ArgumentError} when `fn` is asynchronous: recording would be back on before it is done.
 */
export function noGrad<T>(fn: () => T): T {
  refuseAsyncFunction('noGrad', fn);
  paused += 1;
  try {
    const result = fn();
    refusePromise('noGrad', result);
    return result;
  } finally {
    paused -= 1;
  }
}
