/** Reading the three splits from a folder, or from the published archive, and checking them. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataError, IoError } from '@statespace/ssd-core';
import { tokenize } from '../text/tokenize.js';
import type { CorpusRelease, SplitFigures, SplitName } from './release.js';

/** Tokens of each split, as words. */
export type SplitTokens = Readonly<Record<SplitName, readonly string[]>>;

/** The split names, in the order they are read. */
export const splitNames: readonly SplitName[] = ['train', 'valid', 'test'];

/**
 * Reads a folder that holds each split under one of its names, plain or gzip-compressed.
 * @throws {DataError} when a file is missing, damaged or not the published text. @throws {IoError}
 */
export async function readFolder(folder: string, release: CorpusRelease, hint: string): Promise<SplitTokens> {
  const splits: Partial<Record<SplitName, string[]>> = {};
  for (const name of splitNames) {
    const figures = release.splits[name];
    const { path, bytes } = await readEither(folder, name, figures, hint);
    splits[name] = checkedTokens(bytes, figures, path, hint);
  }
  return splits as SplitTokens;
}

/**
 * Tokens of one file, after its bytes, lines and tokens were counted.
 * @throws {DataError} when a count differs, or the bytes are no UTF-8.
 */
export function checkedTokens(
  bytes: Uint8Array,
  figures: SplitFigures,
  path: string,
  hint: string,
): string[] {
  expectCount('bytes', figures.bytes, bytes.length, path, hint);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError({
      op: 'readCorpus',
      argument: path,
      wanted: 'UTF-8 text',
      got: 'other bytes',
      hint,
      cause,
    });
  }
  let lines = 0;
  for (const byte of bytes) if (byte === 0x0a) lines++;
  expectCount('lines', figures.lines, lines, path, hint);
  const tokens = tokenize(text, 'spaces');
  expectCount('tokens', figures.tokens, tokens.length, path, hint);
  return tokens;
}

/**
 * Checks one file of the published archive: counts, and SHA-256 where it is known.
 * @throws {DataError}
 */
export function checkPublished(bytes: Uint8Array, figures: SplitFigures, hint: string): void {
  const path = figures.archivePath;
  checkedTokens(bytes, figures, path, hint);
  if (figures.sha256 === undefined) return;
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest === figures.sha256) return;
  throw new DataError({
    op: 'readCorpus',
    argument: path,
    wanted: `SHA-256 ${figures.sha256}`,
    got: digest,
    hint,
  });
}

function expectCount(what: string, wanted: number, got: number, path: string, hint: string): void {
  if (wanted === got) return;
  throw new DataError({
    op: 'readCorpus',
    argument: path,
    wanted: `${wanted} ${what} unpacked`,
    got: String(got),
    hint,
  });
}

async function readEither(
  folder: string,
  name: SplitName,
  { fileNames, bytes }: SplitFigures,
  hint: string,
): Promise<{ path: string; bytes: Uint8Array }> {
  for (const fileName of fileNames) {
    for (const ending of ['', '.gz']) {
      const path = join(folder, fileName + ending);
      const content = await readIfPresent(path);
      if (content === undefined) continue;
      return { path, bytes: ending === '' ? content : gunzip(content, bytes, path, hint) };
    }
  }
  throw new DataError({
    op: 'readCorpus',
    argument: folder,
    wanted: `the ${name} split as ${fileNames.join(' or ')}, plain or with .gz`,
    got: 'none of them',
    hint,
  });
}

async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new IoError({ op: 'readCorpus', argument: path, got: (cause as Error).message, cause });
  }
}

function gunzip(content: Uint8Array, unpackedBytes: number, path: string, hint: string): Uint8Array {
  try {
    // The limit keeps a wrong file from unpacking without end; the exact count is checked after.
    return gunzipSync(content, { maxOutputLength: unpackedBytes + 1 });
  } catch (cause) {
    const tooLong = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new DataError({
      op: 'readCorpus',
      argument: path,
      wanted: `${unpackedBytes} bytes unpacked`,
      got: tooLong ? 'more' : `damaged gzip data (${(cause as Error).message})`,
      hint,
      cause,
    });
  }
}
