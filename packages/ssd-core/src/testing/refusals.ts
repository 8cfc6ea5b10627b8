/** Tables of calls that must be refused. */

/** One row: what is wrong, the call, and the error's class, argument and message. */
export type Refusal = readonly [
  what: string,
  call: () => unknown,
  error: new (...args: never[]) => Error,
  argument: string,
  message: RegExp,
];

/** What `call` throws; undefined when it returns. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}
