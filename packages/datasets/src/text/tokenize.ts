/** How a text is cut into tokens. */

/**
 * - `'characters'`: one token per Unicode code point, newlines included.
 * - `'spaces'`: one token per space-separated word, and `<eos>` for every newline: the rule of WikiText.
 * - `'words'`: running prose. Words (with inner apostrophes and hyphens) and punctuation marks are tokens,
 *   a single newline is a space, and a blank line ends a paragraph with `<eos>`.
 */
export type TokenRule = 'characters' | 'spaces' | 'words';

/** Ends a line (`'spaces'`) or a paragraph (`'words'`). */
export const END_OF_LINE = '<eos>';
/** Stands for every token outside the vocabulary. */
export const UNKNOWN = '<unk>';

const paragraphBreak = /\n[^\S\n]*\n\s*/;
const wordOrMark = /<unk>|<eos>|[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|[^\s\p{L}\p{N}]/gu;
const closesUp = /^[,.;:!?)\]”’—-]$/;
const opens = /^[([“‘—-]$/;

/** The tokens of `text` under `rule`. */
export function tokenize(text: string, rule: TokenRule): string[] {
  if (rule === 'characters') return Array.from(text);
  return rule === 'spaces' ? spaceSeparated(text) : proseWords(text);
}

function spaceSeparated(text: string): string[] {
  const tokens: string[] = [];
  let start = 0;
  while (start <= text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    for (const word of text.slice(start, end).split(' ')) if (word !== '') tokens.push(word);
    if (newline < 0) break;
    tokens.push(END_OF_LINE);
    start = newline + 1;
  }
  return tokens;
}

function proseWords(text: string): string[] {
  const tokens: string[] = [];
  const paragraphs = text.split(paragraphBreak);
  for (const [index, paragraph] of paragraphs.entries()) {
    for (const match of paragraph.matchAll(wordOrMark)) tokens.push(match[0]);
    if (index < paragraphs.length - 1) tokens.push(END_OF_LINE);
  }
  return tokens;
}

/** Text that reads like the source: the inverse of `tokenize` up to the amount of white space. */
export function detokenize(tokens: readonly string[], rule: TokenRule): string {
  if (rule === 'characters') return tokens.join('');
  const paragraphEnd = rule === 'spaces' ? '\n' : '\n\n';
  let text = '';
  let glue = '';
  for (const token of tokens) {
    if (token === END_OF_LINE) {
      text += paragraphEnd;
      glue = '';
      continue;
    }
    text += rule === 'words' && closesUp.test(token) ? token : glue + token;
    glue = rule === 'words' && opens.test(token) ? '' : ' ';
  }
  return text;
}
