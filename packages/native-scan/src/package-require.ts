/** `require` from where this package is, bundled or not. */
import { createRequire } from 'node:module';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where this code runs: in an app bundled as CommonJS `import.meta` is empty, and the bundle's own name stands for it. */
export function moduleUrl(): string {
  return (import.meta.url as string | undefined) ?? pathToFileURL(__filename).href;
}

/**
 * Loads a file or a package. A bundled app has lost this package's own place, where a strict layout of node_modules
 * alone has its optional packages: they are looked for from there too.
 * @throws what `require` throws.
 */
export function packageRequire(source: string): unknown {
  return fromEitherPlace(source, (require) => require(source));
}

/** The file that a package would be loaded from. @throws where there is none. */
export function packageResolve(source: string): string {
  return fromEitherPlace(source, (require) => require.resolve(source));
}

function fromEitherPlace<Result>(source: string, use: (require: NodeJS.Require) => Result): Result {
  const here = createRequire(moduleUrl());
  try {
    return use(here);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'MODULE_NOT_FOUND' || isAbsolute(source))
      throw cause;
    let home: string;
    try {
      home = here.resolve('@statespace/native-scan/package.json');
    } catch {
      throw cause;
    }
    return use(createRequire(home));
  }
}
