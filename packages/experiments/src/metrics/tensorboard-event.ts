/**
 * TensorBoard events as bytes: the few fields of tensorflow/core/util/event.proto and summary.proto that scalars
 * need, in Protocol Buffers wire format, framed as TFRecords
 * (length u64, masked CRC of the length, data, masked CRC of the data; all little-endian).
 */
import { maskedCrc32c } from './crc32c.js';

const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;

/** Scalars of one training step. */
export interface ScalarEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly scalars: Readonly<Record<string, number>>;
}

/** The record every event file begins with. */
export function fileVersionRecord(wallTime: number): Buffer {
  // Event { double wall_time = 1; string file_version = 3; }
  return frame(Buffer.concat([double(1, wallTime), bytes(3, Buffer.from('brain.Event:2'))]));
}

/** One event as a framed record. */
export function scalarRecord({ wallTime, step, scalars }: ScalarEvent): Buffer {
  // Summary { repeated Value value = 1; }  Value { string tag = 1; float simple_value = 2; }
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytes(1, Buffer.concat([bytes(1, Buffer.from(tag)), float(2, value)])),
  );
  // Event { double wall_time = 1; int64 step = 2; Summary summary = 5; }
  return frame(Buffer.concat([double(1, wallTime), integer(2, step), bytes(5, Buffer.concat(values))]));
}

function frame(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}

function checksum(data: Buffer): Buffer {
  const result = Buffer.alloc(4);
  result.writeUInt32LE(maskedCrc32c(data));
  return result;
}

function varint(value: number): Buffer {
  const parts: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    parts.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  parts.push(rest);
  return Buffer.from(parts);
}

function key(field: number, wire: number): Buffer {
  return varint(field * 8 + wire);
}

function double(field: number, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return Buffer.concat([key(field, wireFixed64), data]);
}

function float(field: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([key(field, wireFixed32), data]);
}

function integer(field: number, value: number): Buffer {
  // proto3 leaves fields out that hold their default.
  if (value === 0) return Buffer.alloc(0);
  return Buffer.concat([key(field, wireVarint), varint(value)]);
}

function bytes(field: number, data: Buffer): Buffer {
  return Buffer.concat([key(field, wireBytes), varint(data.length), data]);
}
