/** The bundled typeface, DejaVu Sans: a fresh machine has none. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const files = { regular: 'DejaVuSans.ttf', bold: 'DejaVuSans-Bold.ttf' } as const;

export type FontWeight = keyof typeof files;

/** Path of the TrueType file. */
export function fontFile(weight: FontWeight): string {
  return require.resolve(`dejavu-fonts-ttf/ttf/${files[weight]}`);
}
