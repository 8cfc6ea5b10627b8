import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LocalServer, startServer } from '../testing/local-server.js';
import type { CorpusRelease, SplitFigures } from './release.js';
import { loadRelease, loadWikiText2 } from './wikitext-2.js';

const texts = { train: ' \n a b a <unk>\n = c =\n', valid: ' b a\n', test: ' a z\n' };

function figuresOf(name: keyof typeof texts): SplitFigures {
  const text = texts[name];
  return {
    archivePath: `tiny/wiki.${name}.tokens`,
    fileNames: [`${name}.txt`, `wiki.${name}.tokens`],
    bytes: text.length,
    lines: text.split('\n').length - 1,
    tokens: text.split(/ |(?=\n)/).filter((token) => token !== '').length,
    ...(name === 'train' ? {} : { sha256: createHash('sha256').update(text).digest('hex') }),
  };
}

const splits = { train: figuresOf('train'), valid: figuresOf('valid'), test: figuresOf('test') };
const zip = zipSync(
  Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [`tiny/wiki.${name}.tokens`, strToU8(text)]),
  ),
);
const sha256 = createHash('sha256').update(zip).digest('hex');

let folder: string;
let server: LocalServer;
let release: CorpusRelease;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'statespace-datasets-'));
  server = await startServer((_, response) => response.end(zip));
  release = { name: 'tiny', url: `${server.url}/tiny.zip`, sha256, archiveBytesLimit: 1e5, splits };
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a corpus from the network', () => {
  it('downloads once, keeps the files, and encodes with the vocabulary of train', async () => {
    const cacheDir = join(folder, 'deep', 'cache');
    const corpus = await loadRelease(release, { cacheDir });
    expect(corpus.vocabulary.tokens).toEqual(['<unk>', '<eos>', '=', 'a', 'b', 'c']);
    expect([...corpus.train]).toEqual([1, 3, 4, 3, 0, 1, 2, 5, 2, 1]);
    expect([...corpus.valid]).toEqual([4, 3, 1]);
    expect([...(corpus.test ?? [])]).toEqual([3, 0, 1]);
    await loadRelease(release, { cacheDir });
    expect(server.requests).toHaveLength(1);
    expect(await readdir(cacheDir)).toEqual(['tiny']);
    expect((await readdir(join(cacheDir, 'tiny'))).sort()).toEqual(['test.txt', 'train.txt', 'valid.txt']);
  });

  it('survives several processes filling the cache at once', async () => {
    const loads = [1, 2, 3].map(() => loadRelease(release, { cacheDir: folder }));
    const [first, ...others] = await Promise.all(loads);
    for (const other of others) expect(other.train).toEqual(first?.train);
    expect(await readdir(folder)).toEqual(['tiny']);
  });

  it('leaves nothing behind when the archive is another one', async () => {
    const wrong = { ...release, sha256: '0'.repeat(64) };
    await expect(loadRelease(wrong, { cacheDir: folder })).rejects.toThrow(/SHA-256 0{64}.*dataDir/s);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing behind when the archive holds other texts', async () => {
    const changed = { ...splits, valid: { ...splits.valid, sha256: 'f'.repeat(64) } };
    await expect(loadRelease({ ...release, splits: changed }, { cacheDir: folder })).rejects.toThrow(
      /wiki\.valid\.tokens: expected SHA-256 f{64}/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('says how to repair a damaged cache, and repairs itself after that', async () => {
    await loadRelease(release, { cacheDir: folder });
    await writeFile(join(folder, 'tiny', 'train.txt'), 'cut');
    await expect(loadRelease(release, { cacheDir: folder })).rejects.toThrow(
      /got 3\. Delete the folder .*tiny/,
    );
    await rm(join(folder, 'tiny'), { recursive: true });
    await loadRelease(release, { cacheDir: folder });
    expect(server.requests).toHaveLength(2);
  });

  it('takes another address, stops on abort, and names a cache that cannot be written', async () => {
    const elsewhere = { ...release, url: 'http://127.0.0.1:1/nothing' };
    await loadRelease(elsewhere, { cacheDir: folder, url: `${server.url}/mirror.zip` });
    expect(server.requests).toEqual(['GET /mirror.zip']);
    const signal = AbortSignal.abort();
    await expect(loadRelease(release, { cacheDir: join(folder, 'x'), signal })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    await writeFile(join(folder, 'file'), '');
    await expect(loadRelease(release, { cacheDir: join(folder, 'file') })).rejects.toMatchObject({
      code: 'ERR_IO',
    });
  });
});

describe('a corpus from a local folder', () => {
  const fill = async (names: Readonly<Record<string, Uint8Array | string>>) => {
    for (const [name, content] of Object.entries(names)) await writeFile(join(folder, name), content);
  };

  it('reads plain and gzip-compressed files under either name, and asks no server', async () => {
    await fill({
      'train.txt.gz': gzipSync(texts.train),
      'wiki.valid.tokens': texts.valid,
      'wiki.test.tokens.gz': gzipSync(texts.test),
    });
    const corpus = await loadRelease(release, { dataDir: folder, maxVocab: 4 });
    expect(corpus.vocabulary.size).toBe(4);
    expect([...corpus.valid]).toEqual([0, 3, 1]);
    expect(server.requests).toEqual([]);
  });

  it('accepts the lines of a split in another order', async () => {
    await fill({
      'train.txt': ' = c =\n \n a b a <unk>\n',
      'valid.txt': texts.valid,
      'test.txt': texts.test,
    });
    expect((await loadRelease(release, { dataDir: folder })).train).toHaveLength(splits.train.tokens);
  });

  it.each([
    ['too few bytes', ' a\n', /expected 22 bytes unpacked, got 3/],
    ['other lines', texts.train.replace('\n', ' '), /expected 3 lines/],
    ['other tokens', texts.train.replace('a b', 'a_b'), /expected 10 tokens unpacked, got 9/],
    ['no UTF-8', Buffer.from(texts.train.replace('a b', '\xff b'), 'latin1'), /UTF-8/],
  ])('refuses %s', async (_, train, message) => {
    await fill({ 'train.txt': train, 'valid.txt': texts.valid, 'test.txt': texts.test });
    await expect(loadRelease(release, { dataDir: folder })).rejects.toThrow(message);
  });

  it('refuses damaged gzip data, gzip bombs, and missing splits', async () => {
    await fill({ 'train.txt.gz': gzipSync(texts.train).subarray(0, 20) });
    await expect(loadRelease(release, { dataDir: folder })).rejects.toThrow(/damaged gzip/);
    await fill({ 'train.txt.gz': gzipSync('a'.repeat(1e6)) });
    await expect(loadRelease(release, { dataDir: folder })).rejects.toThrow(/22 bytes unpacked, got more/);
    await unlink(join(folder, 'train.txt.gz'));
    await expect(loadRelease(release, { dataDir: folder })).rejects.toThrow(
      /train\.txt or wiki\.train\.tokens/,
    );
  });
});

describe.skipIf(!process.env.STATESPACE_DATA)('the real corpus (STATESPACE_DATA)', () => {
  it('has the published figures', async () => {
    const dataDir = join(process.env.STATESPACE_DATA as string, 'wikitext-2');
    await stat(dataDir);
    const corpus = await loadWikiText2({ dataDir });
    expect(corpus.vocabulary.size).toBe(33_278);
    expect([corpus.train.length, corpus.valid.length, corpus.test?.length]).toEqual([
      2_088_628, 217_646, 245_569,
    ]);
    expect(corpus.vocabulary.tokens.slice(0, 5)).toEqual(['<unk>', '<eos>', 'the', ',', '.']);
    const short = await loadWikiText2({ dataDir, maxVocab: 20_000 });
    expect(short.vocabulary.tokens).toEqual(corpus.vocabulary.tokens.slice(0, 20_000));
  });
});
