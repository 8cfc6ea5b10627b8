/** WikiText-2 at word level: from a local copy, the cache, or the network. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AbortedError, IoError } from '@statespace/ssd-core';
import { cacheFolder } from '../download/cache-folder.js';
import { type DownloadProgress, downloadVerified } from '../download/download.js';
import { writeFolderOnce } from '../download/durable-write.js';
import { readZip } from '../download/read-zip.js';
import type { TextCorpus } from '../text/corpus.js';
import { Vocabulary } from '../text/vocabulary.js';
import { type CorpusRelease, wikiText2Release } from './release.js';
import { checkPublished, readFolder, type SplitTokens, splitNames } from './splits.js';

export interface WikiText2Options {
  /** A folder with `train`, `valid` and `test` as `.txt` or `wiki.*.tokens`, plain or `.gz`: nothing is downloaded. */
  readonly dataDir?: string;
  /** Where the download is kept. Default `cacheFolder()`. */
  readonly cacheDir?: string;
  /** Another address of `wikitext-2-v1.zip`; its SHA-256 stays the published one. */
  readonly url?: string;
  /** Vocabulary size, `<unk>` and `<eos>` included. Default: all 33,278 types. */
  readonly maxVocab?: number;
  readonly signal?: AbortSignal;
  /** Called while the archive comes in. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/**
 * WikiText-2 (Merity et al. 2016) as token ids; every newline is an `<eos>`, and the vocabulary comes from `train`.
 * Without `dataDir` the published archive is downloaded once, checked by SHA-256 and kept in the cache.
 * @throws {DataError} when the data are missing or not the published ones. @throws {IoError} when the disk refuses.
 * @throws {AbortedError} when `signal` fires.
 */
export function loadWikiText2(options: WikiText2Options = {}): Promise<TextCorpus> {
  return loadRelease(wikiText2Release, options);
}

/** As `loadWikiText2`, for any release of the same make-up; tests use a small one. */
export async function loadRelease(release: CorpusRelease, options: WikiText2Options): Promise<TextCorpus> {
  const { dataDir, signal, maxVocab } = options;
  throwIfAborted(release, signal);
  const splits =
    dataDir === undefined ? await readCached(release, options) : await readLocal(release, dataDir);
  throwIfAborted(release, signal);
  const vocabulary = Vocabulary.fromTokens(splits.train, {
    rule: 'spaces',
    ...(maxVocab === undefined ? {} : { maxVocab }),
  });
  return {
    name: release.name,
    level: 'word',
    vocabulary,
    train: vocabulary.encodeTokens(splits.train),
    valid: vocabulary.encodeTokens(splits.valid),
    test: vocabulary.encodeTokens(splits.test),
  };
}

function readLocal(release: CorpusRelease, folder: string): Promise<SplitTokens> {
  return readFolder(folder, release, `The folder must hold ${release.name} at word level, unchanged`);
}

async function readCached(release: CorpusRelease, options: WikiText2Options): Promise<SplitTokens> {
  const folder = join(options.cacheDir ?? cacheFolder(), release.name);
  if (!(await isFolder(folder))) await fillCache(folder, release, options);
  return readFolder(folder, release, `Delete the folder ${folder}, and the next call downloads it again`);
}

async function fillCache(folder: string, release: CorpusRelease, options: WikiText2Options): Promise<void> {
  const { url = release.url, signal, onProgress } = options;
  const remedy =
    `Try again, give another address of the same archive as url, or unpack ${release.name} yourself ` +
    'and give its folder as dataDir';
  const archive = await downloadVerified({
    url,
    sha256: release.sha256,
    maxBytes: release.archiveBytesLimit,
    remedy,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const figures = splitNames.map((name) => release.splits[name]);
  const unpacked = readZip(archive, {
    wanted: figures.map(({ archivePath }) => archivePath),
    maxBytes: Math.max(...figures.map(({ bytes }) => bytes)),
    source: url,
  });
  const files = new Map<string, Uint8Array>();
  for (const split of figures) {
    const bytes = unpacked.get(split.archivePath) as Uint8Array;
    checkPublished(bytes, split, remedy);
    files.set(split.fileNames[0] as string, bytes);
  }
  throwIfAborted(release, signal);
  await writeFolderOnce(folder, files);
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new IoError({
      op: 'readCorpus',
      argument: path,
      wanted: 'a cache folder',
      got: cause.message,
      cause,
    });
  });
  return found?.isDirectory() ?? false;
}

function throwIfAborted(release: CorpusRelease, signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new AbortedError({
      op: 'loadCorpus',
      argument: release.name,
      got: 'an abort',
      cause: signal.reason,
    });
  }
}
