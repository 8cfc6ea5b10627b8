/** What a language model is made of, in our own words; `hugging-face.ts` translates from and to config.json. */

/** Sizes and switches that all architectures share. */
export interface SharedConfig {
  /** Rows of the embedding, V. mamba_ssm rounds it up to a multiple of 8. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly dModel: number;
  /** Blocks. */
  readonly numLayers: number;
  /** State size per channel, N. Default 16; Mamba-2: 128. */
  readonly dState: number;
  /** Inner width over dModel. Default 2. */
  readonly expand: number;
  /** Width of the causal convolution, at least 2. Default 4. */
  readonly dConv: number;
  /** Output head shares the embedding. Default true. */
  readonly tieEmbeddings: boolean;
  /** Biases of in_proj and out_proj. Default false. */
  readonly useBias: boolean;
  /** Bias of the convolution. Default true. */
  readonly useConvBias: boolean;
  /** Epsilon of every RMS norm. Default 1e-5. */
  readonly normEps: number;
  /** Standard deviation of the embedding at the start. Default 0.02; 1 with `init: 'minimal'`. */
  readonly embeddingStd: number;
  /** At the start the step, softplus(dt bias), is log-uniform in [timeStepMin, timeStepMax]. Default 1e-3. */
  readonly timeStepMin: number;
  /** Default 0.1. */
  readonly timeStepMax: number;
  /** Lower bound of the initial step. Default 1e-4. */
  readonly timeStepFloor: number;
}

/** What Mamba and its time-invariant twin have in common beyond `SharedConfig`. */
export interface DiagonalScanConfig extends SharedConfig {
  /** `'diagonal'`, a decay of its own for each of a channel's N states; or `'scalar'`, one for all N. Default diagonal. */
  readonly decay: 'diagonal' | 'scalar';
  /**
   * Initial values: `'scaled'`, as in mamba_ssm; or `'minimal'`, the layer defaults of PyTorch as mamba-minimal leaves
   * them: embedding N(0, 1), steps that are not spread out, output projections that ignore the depth. Default scaled.
   */
  readonly init: 'scaled' | 'minimal';
}

/** Mamba (Gu & Dao 2023, arXiv:2312.00752). */
export interface MambaConfig extends DiagonalScanConfig {
  readonly architecture: 'mamba';
  /** Rank of the step projection. Default ceil(dModel / 16). */
  readonly dtRank: number;
}

/**
 * Mamba without selection: decays, B and C are parameters, the same at every step. A diagonal state-space model, and so
 * a sum of 1-semiseparable heads (Hu et al. 2025, arXiv:2510.04944, section 4.1).
 */
export interface MambaDiagConfig extends DiagonalScanConfig {
  readonly architecture: 'mamba-diag';
}

/** Mamba-2 (Dao & Gu 2024, arXiv:2405.21060). */
export interface Mamba2Config extends SharedConfig {
  readonly architecture: 'mamba2';
  /** Channels of one head, P. Default 64. */
  readonly headDim: number;
  /** Groups that share B and C, G. Default 1. */
  readonly nGroups: number;
  /** Steps per chunk; changes speed, not results. Default 256. */
  readonly chunkSize: number;
  /** Clamp of the step after softplus. Default [0, Infinity]. */
  readonly timeStepLimit: readonly [number, number];
  /**
   * Groups the gated norm normalises apart. Default 1, the whole width, as in Hugging Face; mamba_ssm has nGroups. The
   * two agree where nGroups is 1.
   */
  readonly normGroups: number;
  /** A skip weight for every channel instead of one for every head (`D_has_hdim` of mamba_ssm). Default false. */
  readonly skipPerChannel: boolean;
}

export type ModelConfig = MambaConfig | MambaDiagConfig | Mamba2Config;

type Required3 = 'vocabSize' | 'dModel' | 'numLayers';
/** What `createModel` takes: three sizes and the architecture; all else has a default. */
export type ModelOptions =
  | (Partial<MambaConfig> & Pick<MambaConfig, 'architecture' | Required3>)
  | (Partial<MambaDiagConfig> & Pick<MambaDiagConfig, 'architecture' | Required3>)
  | (Partial<Mamba2Config> & Pick<Mamba2Config, 'architecture' | Required3>);

/** Inner width, E = expand dModel. */
export function innerWidth({ expand, dModel }: Pick<SharedConfig, 'expand' | 'dModel'>): number {
  return Math.floor(expand * dModel);
}

/** Heads of Mamba-2, H = E / P. */
export function headCount(config: Pick<Mamba2Config, 'expand' | 'dModel' | 'headDim'>): number {
  return innerWidth(config) / config.headDim;
}
