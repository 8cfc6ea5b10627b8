/** The kernels for other native addons, without JavaScript in between. */
import type { NativeInterface } from './addon.js';
import { nativeRuntime } from './runtime.js';

export type { NativeInterface } from './addon.js';

/**
 * The table of C functions of `statespace/statespace.h`, which another native addon calls on raw pointers: hand it over
 * and take it out with `statespace_get_interface` of `statespace/node.h`. `@statespace/native-scan/include` tells where
 * the headers are. The table is valid as long as the environment (main thread or worker) that asked for it.
 * @throws {BackendUnavailableError} when the native addon cannot be loaded; the message lists every attempt.
 */
export function nativeInterface(): NativeInterface {
  return nativeRuntime('nativeInterface').addon.nativeInterface();
}
