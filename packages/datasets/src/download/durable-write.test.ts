import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFolderOnce } from './durable-write.js';

const files = new Map([
  ['a.txt', Buffer.from('aa')],
  ['b.txt', Buffer.from('bb')],
]);

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'statespace-write-'));
});
afterEach(() => fs.rm(folder, { recursive: true, force: true }));

describe('writeFolderOnce', () => {
  it('makes the folder, with missing parents, and leaves nothing else', async () => {
    const parent = join(folder, 'x', 'y');
    await writeFolderOnce(join(parent, 'data'), files);
    expect(await fs.readdir(parent)).toEqual(['data']);
    expect((await fs.readdir(join(parent, 'data'))).sort()).toEqual(['a.txt', 'b.txt']);
    expect(await fs.readFile(join(parent, 'data', 'b.txt'), 'utf8')).toBe('bb');
  });

  it('keeps a folder that is there already', async () => {
    await writeFolderOnce(join(folder, 'data'), files);
    await writeFolderOnce(join(folder, 'data'), new Map([['c.txt', Buffer.from('cc')]]));
    expect((await fs.readdir(join(folder, 'data'))).sort()).toEqual(['a.txt', 'b.txt']);
    expect(await fs.readdir(folder)).toEqual(['data']);
  });

  it('leaves nothing behind on a full disk, and says so', async () => {
    const fileSystem = {
      ...fs,
      open: async (path: string, flags: string) => {
        const file = await fs.open(path, flags);
        if (!path.includes('b.txt')) return file;
        return {
          write: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })),
          sync: () => file.sync(),
          close: () => file.close(),
        };
      },
    };
    const writing = writeFolderOnce(join(folder, 'data'), files, { fileSystem });
    await expect(writing).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringMatching(/disk is full/),
    });
    expect(await fs.readdir(folder)).toEqual([]);
  });

  it('names a parent that cannot be made', async () => {
    await fs.writeFile(join(folder, 'file'), '');
    const writing = writeFolderOnce(join(folder, 'file', 'data'), files);
    await expect(writing).rejects.toMatchObject({ code: 'ERR_IO' });
  });
});
