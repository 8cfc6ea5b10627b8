import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readZip } from './read-zip.js';

const options = { wanted: ['w/a.txt'], maxBytes: 100, source: 'test.zip' };
const archive = (files: Record<string, string>) =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));

describe('readZip', () => {
  it('returns the wanted files alone', () => {
    const files = readZip(archive({ 'w/a.txt': 'hello', 'w/b.txt': 'no' }), options);
    expect([...files.keys()]).toEqual(['w/a.txt']);
    expect(Buffer.from(files.get('w/a.txt') as Uint8Array).toString()).toBe('hello');
  });

  it.each(['../evil.txt', 'w/../../evil.txt', '/etc/evil', 'C:/evil', 'w\\..\\evil'])(
    'refuses the path %s',
    (name) => {
      expect(() => readZip(archive({ 'w/a.txt': 'hello', [name]: 'x' }), options)).toThrow(
        /paths inside the archive/,
      );
    },
  );

  it('refuses a missing file, a large one, and what is no archive', () => {
    expect(() => readZip(archive({ b: 'x' }), options)).toThrow(/a file w\/a\.txt in the archive, got none/);
    expect(() => readZip(archive({ 'w/a.txt': 'x'.repeat(101) }), options)).toThrow(/at most 100 bytes/);
    expect(() => readZip(strToU8('<html>'), options)).toThrow(/a zip archive/);
    const whole = archive({ 'w/a.txt': 'hello' });
    expect(() => readZip(whole.slice(0, whole.length / 2), options)).toThrow(/a zip archive/);
  });
});
