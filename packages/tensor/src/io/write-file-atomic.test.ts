import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IoError } from '@statespace/ssd-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { tensor } from '../create.js';
import { readSafetensors, writeSafetensors } from './index.js';
import { type WritableFileSystem, writeFileAtomic } from './write-file-atomic.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'atomic-'));
  path = join(folder, 'model.bin');
});

const fault = (code: string) => Object.assign(new Error(`${code}: simulated`), { code });

/** A disk with room for `room` bytes that takes at most `piece` bytes at a time, and may fail at one step. */
function disk({ room = Number.POSITIVE_INFINITY, piece = 7, failing = '' } = {}) {
  const log: string[] = [];
  let left = room;
  const failAt = (step: string) => {
    log.push(step);
    if (step === failing) throw fault('EIO');
  };
  const fileSystem: WritableFileSystem = {
    async open(name, flags) {
      const file = await fs.open(name, flags);
      const what = flags === 'r' ? 'folder' : 'file';
      return {
        async write(bytes) {
          if (left === 0) throw fault('ENOSPC');
          const taken = Math.min(bytes.length, left, piece);
          left -= taken;
          return file.write(bytes.subarray(0, taken));
        },
        async sync() {
          failAt(`sync ${what}`);
          await file.sync();
        },
        async close() {
          await file.close();
          failAt(`close ${what}`);
        },
      };
    },
    async rename(from, to) {
      failAt('rename');
      await fs.rename(from, to);
    },
    async unlink(name) {
      log.push('unlink');
      await fs.unlink(name);
    },
  };
  return { fileSystem, log };
}

describe('writeFileAtomic', () => {
  test('writes text, bytes and chunks, over an older file', async () => {
    await writeFileAtomic(path, 'é');
    expect(await fs.readFile(path, 'utf8')).toBe('é');
    await writeFileAtomic(path, Uint8Array.of(1, 2));
    async function* chunks() {
      yield Uint8Array.of(3);
      yield new Uint8Array(0);
      yield Uint8Array.of(4, 5);
    }
    await writeFileAtomic(path, chunks());
    expect([...(await fs.readFile(path))]).toEqual([3, 4, 5]);
    expect(await fs.readdir(folder)).toEqual(['model.bin']);
  });

  test('syncs the file before the rename and the folder after it, and finishes short writes', async () => {
    const { fileSystem, log } = disk({ piece: 2 });
    await writeFileAtomic(path, 'abcdefg', { fileSystem });
    expect(await fs.readFile(path, 'utf8')).toBe('abcdefg');
    expect(log).toEqual(['sync file', 'close file', 'rename', 'sync folder', 'close folder']);
  });

  test('without space, says what to do and leaves the old file and nothing else', async () => {
    await writeFileAtomic(path, 'old');
    const { fileSystem } = disk({ room: 10 });
    const write = writeFileAtomic(path, 'x'.repeat(100), { fileSystem });
    await expect(write).rejects.toThrow(/model\.bin.*ENOSPC.*free some space/);
    await expect(write).rejects.toBeInstanceOf(IoError);
    expect(await fs.readFile(path, 'utf8')).toBe('old');
    expect(await fs.readdir(folder)).toEqual(['model.bin']);
  });

  test.each(['sync file', 'close file', 'rename'])(
    'a failure at "%s" leaves the old file and nothing else',
    async (failing) => {
      await writeFileAtomic(path, 'old');
      const { fileSystem } = disk({ failing });
      await expect(writeFileAtomic(path, 'new', { fileSystem })).rejects.toThrow(/EIO/);
      expect(await fs.readFile(path, 'utf8')).toBe('old');
      expect(await fs.readdir(folder)).toEqual(['model.bin']);
    },
  );

  test('an error of the contents comes through and leaves nothing', async () => {
    function* broken() {
      yield Uint8Array.of(1);
      throw new RangeError('no more');
    }
    await expect(writeFileAtomic(path, broken())).rejects.toThrow(RangeError);
    expect(await fs.readdir(folder)).toEqual([]);
  });

  test('names a missing folder', async () => {
    await expect(writeFileAtomic(join(folder, 'no', 'x'), 'a')).rejects.toThrow(/ENOENT.*make it first/);
  });

  test('a checkpoint that does not fit leaves the earlier one readable', async () => {
    await writeSafetensors(path, { a: tensor([1, 2], { device: 'reference' }) });
    const large = tensor(new Float32Array(1000), { device: 'reference' });
    const { fileSystem } = disk({ room: 500 });
    await expect(writeSafetensors(path, { large }, { fileSystem })).rejects.toThrow(/ENOSPC/);
    const { tensors } = await readSafetensors(path, { device: 'reference' });
    expect([...(tensors.get('a')?.toArray() ?? [])]).toEqual([1, 2]);
    expect(await fs.readdir(folder)).toEqual(['model.bin']);
  });
});
