/** SVG files inside an HTML document: several of them share one space of ids. */
import { Html } from './html.js';

/**
 * An SVG file as an element of a document, its ids beginning with `prefix`, its size left to the style sheet.
 * @param label what it shows, for readers who do not see it
 */
export function inlineSvg(svg: string, prefix: string, label: string): Html {
  const start = svg.indexOf('<svg');
  const body = svg
    .slice(start)
    .replace(/\bid="([^"]+)"/g, `id="${prefix}-$1"`)
    .replace(/url\((['"]?)#([^)'"]+)\1\)/g, `url(#${prefix}-$2)`)
    .replace(/\b((?:xlink:)?href)="#([^"]+)"/g, `$1="#${prefix}-$2"`)
    .replace(/\baria-labelledby="([^"]+)"/g, `aria-labelledby="${prefix}-$1"`);
  const opening = body.slice(0, body.indexOf('>') + 1);
  const sized = opening.replace(/<svg/, `<svg role="img" aria-label="${label.replaceAll('"', '&quot;')}"`);
  return new Html(withViewBox(sized) + body.slice(opening.length));
}

/** Without a view box a drawing is cut where its element is narrower. */
function withViewBox(opening: string): string {
  if (/\bviewBox=/.test(opening)) return opening;
  const width = /\bwidth="([\d.]+)/.exec(opening)?.[1];
  const height = /\bheight="([\d.]+)/.exec(opening)?.[1];
  if (width === undefined || height === undefined) return opening;
  return opening.replace('<svg', `<svg viewBox="0 0 ${width} ${height}"`);
}
