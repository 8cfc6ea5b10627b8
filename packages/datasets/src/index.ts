/** Texts and synthetic tasks for sequence models, as plain typed arrays. */
export { type DecayOptions, type DecaySequences, decaySequences } from './decays/decays.js';
export { type CacheFolderSources, cacheFolder } from './download/cache-folder.js';
export { type DownloadOptions, type DownloadProgress, downloadVerified } from './download/download.js';
export { loadMobyDick, type MobyDickOptions } from './moby-dick/moby-dick.js';
export {
  PARITY_IGNORE,
  PARITY_PADDING,
  type ParityOptions,
  type ParitySequences,
  paritySequences,
} from './parity/parity.js';
export type { TextCorpus } from './text/corpus.js';
export { type NgramEntropies, NgramModel, ngramEntropies } from './text/ngram-model.js';
export { detokenize, END_OF_LINE, type TokenRule, tokenize, UNKNOWN } from './text/tokenize.js';
export { Vocabulary, type VocabularyJson, type VocabularyOptions } from './text/vocabulary.js';
export { loadWikiText2, type WikiText2Options } from './wikitext-2/wikitext-2.js';
export { EpochSampler, type EpochSamplerOptions, type EpochSamplerState } from './windows/epoch-sampler.js';
export {
  type TokenBatch,
  type TokenWindows,
  type TokenWindowsOptions,
  tokenWindows,
} from './windows/token-windows.js';
