/** The header of an .npy file: a Python dict literal with exactly three keys, in any order. */
import { FormatError } from '../errors.js';

export interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const token = /\s*(?:('[^'\\]*'|"[^"\\]*")|(\d+)L?|(True|False)|([{}():,[\]]))/y;

/** Reads the dict. @throws {FormatError} when it is anything else. */
export function parseNpyHeader(op: string, name: string, text: string): NpyHeader {
  const fail = (got: string): never => {
    throw new FormatError({
      op,
      argument: name,
      wanted: "a header {'descr': ..., 'fortran_order': ..., 'shape': ...}",
      got,
    });
  };
  const tokens = tokenize(text.trimEnd()) ?? fail(JSON.stringify(text));
  let at = 0;
  const take = (wanted?: string): string => {
    const next = tokens[at++];
    if (next === undefined || (wanted !== undefined && next !== wanted))
      return fail(next ?? 'the end of the header');
    return next;
  };
  const found = new Map<string, string | boolean | readonly number[]>();
  take('{');
  while (tokens[at] !== '}') {
    const key = unquote(take()) ?? fail('a key without quotes');
    if (found.has(key)) fail(`'${key}' twice`);
    take(':');
    found.set(
      key,
      readValue(take, () => tokens[at], fail),
    );
    if (tokens[at] !== '}') take(',');
  }
  take('}');
  const [descr, fortranOrder, shape] = [found.get('descr'), found.get('fortran_order'), found.get('shape')];
  const complete = found.size === 3 && at === tokens.length;
  if (!complete || typeof descr !== 'string' || typeof fortranOrder !== 'boolean' || !Array.isArray(shape)) {
    return fail(text.trimEnd());
  }
  return { descr, fortranOrder, shape: shape as readonly number[] };
}

function readValue(
  take: (wanted?: string) => string,
  peek: () => string | undefined,
  fail: (got: string) => never,
): string | boolean | readonly number[] {
  const first = take();
  if (first === 'True' || first === 'False') return first === 'True';
  if (first === '(') {
    const sizes: number[] = [];
    while (peek() !== ')') {
      const size = Number(take());
      if (!Number.isSafeInteger(size)) fail('a shape that is not made of whole sizes');
      sizes.push(size);
      if (peek() !== ')') take(',');
    }
    take(')');
    return sizes;
  }
  if (first === '[') return fail('a structured format');
  return unquote(first) ?? fail(first);
}

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return undefined;
    tokens.push((match[1] ?? match[2] ?? match[3] ?? match[4]) as string);
  }
  return tokens;
}

function unquote(text: string): string | undefined {
  return text.startsWith("'") || text.startsWith('"') ? text.slice(1, -1) : undefined;
}
