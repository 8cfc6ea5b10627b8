/** Where the C headers for other native addons are; loads nothing else. */
import { fileURLToPath } from 'node:url';

/** The folder to add to a compiler's include path: it holds `statespace/statespace.h` and `statespace/node.h`. */
export const includeDir: string = fileURLToPath(new URL('../../include', import.meta.url));
