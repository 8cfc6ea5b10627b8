/** Downloading one file of known SHA-256 into memory. */
import { createHash } from 'node:crypto';
import { AbortedError, ArgumentError, DataError } from '@statespace/ssd-core';
import { EnvHttpProxyAgent, fetch } from 'undici';

/** How far a download has come. */
export interface DownloadProgress {
  readonly receivedBytes: number;
  /** As the server announced it; undefined when it did not. */
  readonly totalBytes: number | undefined;
}

export interface DownloadOptions {
  /** `http:` or `https:`. */
  readonly url: string;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
  /** A longer answer is refused as soon as it passes this many bytes. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Longest silence of the server, milliseconds. Default 30 000. */
  readonly silenceLimit?: number;
  /** Closing sentence of every error: what else the user can do. */
  readonly remedy?: string;
}

/**
 * The bytes at `url`, checked against `sha256` before anyone sees them. Follows redirects; honours `HTTPS_PROXY`,
 * `HTTP_PROXY` and `NO_PROXY` (either case).
 * @throws {DataError} when the server refuses, falls silent, breaks off, or sends other bytes.
 * @throws {AbortedError} when `signal` fires. @throws {ArgumentError} for another kind of URL.
 */
export async function downloadVerified(options: DownloadOptions): Promise<Uint8Array> {
  const { url, sha256, signal, silenceLimit = 30_000, remedy } = options;
  checkUrl(url);
  const fail = (wanted: string, got: string, cause?: unknown) =>
    new DataError({
      op: 'download',
      argument: url,
      wanted,
      got,
      cause,
      ...(remedy === undefined ? {} : { hint: remedy }),
    });
  // One agent per download, closed with it: no idle socket keeps the process alive.
  const agent = new EnvHttpProxyAgent({
    connect: { timeout: silenceLimit },
    headersTimeout: silenceLimit,
    bodyTimeout: silenceLimit,
  });
  try {
    signal?.throwIfAborted();
    const response = await fetch(url, {
      dispatcher: agent,
      // Some mirrors refuse clients that do not name themselves.
      headers: { 'user-agent': 'statespace-datasets', accept: '*/*', 'accept-encoding': 'identity' },
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw fail('status 200', `${response.status} ${response.statusText}`.trim());
    const bytes = await readBody(response, options, fail);
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (digest !== sha256) throw fail(`SHA-256 ${sha256}`, `${digest} (${bytes.length} bytes)`);
    return bytes;
  } catch (cause) {
    if (signal?.aborted) throw new AbortedError({ op: 'download', argument: url, got: 'an abort', cause });
    if (cause instanceof DataError) throw cause;
    throw fail('a complete answer', reasonOf(cause), cause);
  } finally {
    await agent.destroy();
  }
}

async function readBody(
  response: Awaited<ReturnType<typeof fetch>>,
  { maxBytes, onProgress }: DownloadOptions,
  fail: (wanted: string, got: string) => DataError,
): Promise<Uint8Array> {
  const announced = Number(response.headers.get('content-length') ?? Number.NaN);
  const totalBytes = Number.isSafeInteger(announced) ? announced : undefined;
  if (totalBytes !== undefined && totalBytes > maxBytes) {
    throw fail(`at most ${maxBytes} bytes`, String(totalBytes));
  }
  const pieces: Uint8Array[] = [];
  let receivedBytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    pieces.push(piece);
    receivedBytes += piece.length;
    if (receivedBytes > maxBytes) throw fail(`at most ${maxBytes} bytes`, 'more');
    onProgress?.({ receivedBytes, totalBytes });
  }
  if (totalBytes !== undefined && receivedBytes !== totalBytes) {
    throw fail(`${totalBytes} bytes`, String(receivedBytes));
  }
  return Buffer.concat(pieces, receivedBytes);
}

function checkUrl(url: string): void {
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol)) {
    throw new ArgumentError({
      op: 'download',
      argument: 'url',
      wanted: 'an http or https URL',
      got: `'${url}'`,
    });
  }
}

/** The innermost message of a chain of causes: fetch itself says no more than "fetch failed". */
function reasonOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  return innermost instanceof Error ? innermost.message : String(innermost);
}
