import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { crc32c, maskedCrc32c } from './crc32c.js';
import { fileVersionRecord, type ScalarEvent, scalarRecord } from './tensorboard-event.js';

test('crc32c gives the check values of RFC 3720, appendix B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

test('a record frames its data with masked checksums', () => {
  const record = fileVersionRecord(1.5);
  const length = Number(record.readBigUInt64LE(0));
  expect(record.length).toBe(length + 16);
  expect(record.readUInt32LE(8)).toBe(maskedCrc32c(record.subarray(0, 8)));
  expect(record.readUInt32LE(12 + length)).toBe(maskedCrc32c(record.subarray(12, 12 + length)));
});

test('the bytes are those that TensorBoard itself writes', () => {
  const path = new URL('../../fixtures/tensorboard-events.json', import.meta.url);
  const { startTime, events, base64 } = JSON.parse(readFileSync(path, 'utf8')) as {
    startTime: number;
    events: { wallTime: number; step: number; scalars: Record<string, number | null> }[];
    base64: string;
  };
  const records = events.map(({ scalars, ...rest }): Buffer => {
    const values = Object.entries(scalars).map(([tag, value]) => [tag, value ?? Number.POSITIVE_INFINITY]);
    return scalarRecord({ ...rest, scalars: Object.fromEntries(values) } as ScalarEvent);
  });
  const ours = Buffer.concat([fileVersionRecord(startTime), ...records]);
  expect(ours.equals(Buffer.from(base64, 'base64'))).toBe(true);
});
