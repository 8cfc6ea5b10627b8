/** Text, token by token. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AbortedError, ArgumentError, philoxUniform } from '@statespace/ssd-core';
import { tensor } from '@statespace/tensor';
import type { LanguageModel } from '../language-model/language-model.js';
import { checkSampling, type SamplingOptions, sampleToken } from './sampling.js';

/** Apart from the streams that draw weights, the order of samples, or dropout with the same seed. */
const stream = 2 ** 42;

export interface GenerateOptions extends SamplingOptions {
  /** Tokens to make. */
  readonly maxTokens: number;
  /** An integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** The text ends before one of these tokens. Default: none. */
  readonly stopTokens?: readonly number[];
  readonly signal?: AbortSignal;
}

/**
 * Continues `prompt` (L token ids, L at least 1) and yields each new token as it is made. Same model, prompt, options
 * and seed: same tokens. The event loop turns between tokens; the model's state is freed when the iteration ends,
 * also by `break`.
 * @throws {ArgumentError} for an option out of range, at once. @throws {AbortedError} when `signal` fires.
 */
export function generate(
  model: LanguageModel,
  prompt: Int32Array,
  options: GenerateOptions,
): AsyncGenerator<number> {
  const { maxTokens, seed = 0 } = options;
  const fail = (argument: string, wanted: string, got: unknown) => {
    throw new ArgumentError({ op: 'generate', argument, wanted, got: String(got) });
  };
  if (prompt.length === 0) fail('prompt', 'at least one token', 'none');
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 0) fail('maxTokens', 'an integer from 0 on', maxTokens);
  if (!Number.isSafeInteger(seed) || seed < 0) fail('seed', 'an integer from 0 to 2^53 - 1', seed);
  checkSampling(options);
  return continueText(model, prompt, options, seed);
}

async function* continueText(
  model: LanguageModel,
  prompt: Int32Array,
  options: GenerateOptions,
  seed: number,
): AsyncGenerator<number> {
  const { maxTokens, signal, stopTokens = [] } = options;
  if (maxTokens === 0) return;
  throwIfAborted(signal);
  const state = model.initState(1);
  try {
    const ids = tensor(prompt, { shape: [1, prompt.length], dtype: 'i32', device: model.device });
    let logits = model.prefill(ids, state).logits;
    ids.dispose();
    for (let made = 0; ; ) {
      const scores = logits.toArray();
      logits.dispose();
      const [uniform] = philoxUniform({ seed, stream, offset: made }, 1);
      const token = sampleToken(scores, uniform as number, options);
      if (stopTokens.includes(token)) return;
      yield token;
      made += 1;
      if (made === maxTokens) return;
      await nextTurn();
      throwIfAborted(signal);
      logits = model.step(Int32Array.of(token), state);
    }
  } finally {
    state.dispose();
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError({ op: 'generate', got: 'an abort', cause: signal.reason });
}
