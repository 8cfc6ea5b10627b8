/** What the published WikiText-2 consists of, so that every copy can be checked against it. */

/** Figures of one split, unpacked. */
export interface SplitFigures {
  /** Path in the published archive. */
  readonly archivePath: string;
  /** Names a local copy may have, plain or with `.gz`. */
  readonly fileNames: readonly string[];
  readonly bytes: number;
  readonly lines: number;
  /** Space-separated words, and one `<eos>` a line. */
  readonly tokens: number;
  /** SHA-256 of the published file. A local copy may hold its articles in another order, so it is not asked for there. */
  readonly sha256?: string;
}

export type SplitName = 'train' | 'valid' | 'test';

/** A word-level corpus published as one zip archive. */
export interface CorpusRelease {
  readonly name: string;
  readonly url: string;
  /** SHA-256 of the archive. */
  readonly sha256: string;
  readonly archiveBytesLimit: number;
  readonly splits: Readonly<Record<SplitName, SplitFigures>>;
}

/**
 * WikiText-2, word level (Merity et al. 2016, arXiv:1609.07843), CC BY-SA 3.0. The address is the mirror of its first
 * author; the first home, an S3 bucket, answers 403 since 2024. The archive is the same file, and its SHA-256 is the
 * one that mlx-data and CorpusDatasets.jl pin; its `valid` and `test` are pinned by their own.
 */
export const wikiText2Release: CorpusRelease = {
  name: 'wikitext-2',
  url: 'https://wikitext.smerity.com/wikitext-2-v1.zip',
  sha256: '92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c',
  archiveBytesLimit: 32 * 2 ** 20,
  splits: {
    train: {
      archivePath: 'wikitext-2/wiki.train.tokens',
      fileNames: ['train.txt', 'wiki.train.tokens'],
      bytes: 10_797_148,
      lines: 36_718,
      tokens: 2_088_628,
    },
    valid: {
      archivePath: 'wikitext-2/wiki.valid.tokens',
      fileNames: ['valid.txt', 'wiki.valid.tokens'],
      bytes: 1_121_681,
      lines: 3_760,
      tokens: 217_646,
      sha256: 'f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8',
    },
    test: {
      archivePath: 'wikitext-2/wiki.test.tokens',
      fileNames: ['test.txt', 'wiki.test.tokens'],
      bytes: 1_256_449,
      lines: 4_358,
      tokens: 245_569,
      sha256: 'd790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0',
    },
  },
};
