/**
 * Checkpoints: one safetensors file with the parameters, the optimiser's moments and a JSON header with all else.
 * The header carries a SHA-256 over names, shapes and bytes of the tensors and over the rest of the header.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CheckpointError, StatespaceError } from '@statespace/ssd-core';
import { readSafetensors, type SafetensorsContents, type Tensor, writeSafetensors } from '@statespace/tensor';
import { migrate } from '../runs/format-version.js';
import { type CheckpointHeader, checkpointFormat } from './checkpoint-state.js';

export const bestCheckpointFile = 'best.safetensors';

const optimizerPrefix = 'optimizer.';
const stepFile = /^step-(\d+)\.safetensors$/;

/** The tensors of a checkpoint. */
export interface CheckpointTensors {
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Absent in `weights`. */
  readonly optimizer?: Readonly<Record<string, Tensor>>;
}

export interface Checkpoint extends CheckpointTensors {
  readonly path: string;
  readonly header: CheckpointHeader;
}

/** `step-000120.safetensors`; names sort by step. */
export function stepCheckpointFile(step: number): string {
  return `step-${String(step).padStart(8, '0')}.safetensors`;
}

/** Writes a checkpoint whole or not at all. @throws {IoError} when the disk is full, for example. */
export async function writeCheckpoint(
  path: string,
  header: CheckpointHeader,
  tensors: CheckpointTensors,
): Promise<void> {
  // Parameters keep their own names, so that other tools find the model in the file.
  const all = new Map<string, Tensor>(tensors.parameters);
  for (const [name, value] of Object.entries(tensors.optimizer ?? {})) all.set(optimizerPrefix + name, value);
  const text = JSON.stringify({
    format: checkpointFormat.name,
    formatVersion: checkpointFormat.version,
    ...header,
  });
  await writeSafetensors(path, all, { metadata: { statespace: text, sha256: digest(text, all) } });
}

/**
 * Reads and verifies a checkpoint.
 * @throws {CheckpointError} when it is cut short, damaged or no checkpoint. @throws {FormatError} when it is of a
 * newer version.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readFile(path);
  const text = metadata.statespace;
  if (text === undefined) fail(path, 'a checkpoint of this project', 'another safetensors file');
  if (metadata.sha256 !== digest(text, tensors))
    fail(path, 'contents that agree with their checksum', 'damaged ones');
  const header = migrate(JSON.parse(text), checkpointFormat, path) as unknown as CheckpointHeader;
  const parameters = new Map([...tensors].filter(([name]) => !name.startsWith(optimizerPrefix)));
  const moments = [...tensors].filter(([name]) => name.startsWith(optimizerPrefix));
  const optimizer = Object.fromEntries(
    moments.map(([name, value]) => [name.slice(optimizerPrefix.length), value]),
  );
  return { path, header, parameters, ...(header.content === 'training' ? { optimizer } : {}) };
}

async function readFile(path: string): Promise<SafetensorsContents> {
  if (!existsSync(path)) fail(path, 'a checkpoint file', 'no such file');
  try {
    // On the host: numbers go to the device when they are copied into parameters.
    return await readSafetensors(path, { device: 'reference' });
  } catch (cause) {
    if (cause instanceof StatespaceError && cause.code === 'ERR_FORMAT') {
      throw new CheckpointError({
        op: 'readCheckpoint',
        argument: path,
        wanted: 'a whole checkpoint',
        got: cause.message,
        cause,
      });
    }
    throw cause;
  }
}

function digest(text: string, tensors: ReadonlyMap<string, Tensor>): string {
  const hash = createHash('sha256').update(text);
  for (const name of [...tensors.keys()].sort()) {
    const value = tensors.get(name) as Tensor;
    const { buffer, byteOffset, byteLength } = value.toArray();
    hash.update(`\0${name}\0${value.dtype}\0${value.shape.join(',')}\0`);
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

/** Frees the tensors of a checkpoint. */
export function disposeCheckpoint({ parameters, optimizer }: CheckpointTensors): void {
  for (const value of parameters.values()) value.dispose();
  for (const value of Object.values(optimizer ?? {})) value.dispose();
}

/** Paths of the step checkpoints in a folder, oldest first. */
export function listStepCheckpoints(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => stepFile.test(name))
    .sort()
    .map((name) => join(directory, name));
}

/** The step in the name of a step checkpoint. */
export function stepOfCheckpoint(path: string): number {
  return Number(stepFile.exec(basename(path))?.[1]);
}

/** Deletes all but the latest `keep` step checkpoints. */
export function pruneCheckpoints(directory: string, keep: number): void {
  for (const path of listStepCheckpoints(directory).slice(0, -keep)) unlinkSync(path);
}

/**
 * The latest step checkpoint that is whole; damaged later ones are named in `damaged`.
 * @throws {CheckpointError} when there are checkpoints and none is whole.
 */
export async function readLatestCheckpoint(
  directory: string,
): Promise<{ checkpoint?: Checkpoint; damaged: string[] }> {
  const damaged: string[] = [];
  let last: unknown;
  for (const path of listStepCheckpoints(directory).reverse()) {
    try {
      return { checkpoint: await readCheckpoint(path), damaged };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      damaged.push(error.message);
      last = error;
    }
  }
  if (last !== undefined) throw last;
  return { damaged };
}

function fail(path: string, wanted: string, got: string): never {
  throw new CheckpointError({ op: 'readCheckpoint', argument: path, wanted, got });
}
