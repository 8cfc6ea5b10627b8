/**
 * config.json of Hugging Face (`mamba`, `mamba2`) and of mamba_ssm, to and from our configuration. The type `mamba_diag`
 * and one decay a channel (`ssm_decay`) are our own; transformers refuses them for the type, or for the shape of A_log.
 */
import { ConfigError } from '@statespace/ssd-core';
import { completeConfig } from './complete-config.js';
import { headCount, innerWidth, type ModelConfig, type ModelOptions } from './model-config.js';

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the fields of a config.json. Optional biases are taken from `tensorNames`, the keys of the weight file:
 * releases of transformers disagree about the default of `use_bias`.
 * @throws {ConfigError} when the model type, or a switch that changes results, is not supported.
 */
export function configFromJson(json: Json, tensorNames: ReadonlySet<string>): ModelConfig {
  const has = (ending: string) => tensorNames.has(`backbone.layers.0.mixer.${ending}`);
  const biases = { useBias: has('in_proj.bias'), useConvBias: has('conv1d.bias') };
  const options =
    json.model_type === undefined && json.d_model !== undefined ? fromMambaSsm(json) : fromHuggingFace(json);
  return completeConfig({ ...options, ...biases } as ModelOptions);
}

/**
 * `residual_in_fp32` needs no switch, as the residual is never narrower than f32; `time_step_scale` and
 * `rescale_prenorm_residual` act on fresh weights alone.
 */
function fromHuggingFace(json: Json): Json {
  const type = json.model_type;
  if (type !== 'mamba' && type !== 'mamba_diag' && type !== 'mamba2')
    fail('model_type', "'mamba', 'mamba_diag' or 'mamba2'", type);
  for (const key of ['hidden_act'] as const) {
    if (json[key] !== undefined && json[key] !== 'silu' && json[key] !== 'swish')
      fail(key, "'silu'", json[key]);
  }
  const shared = {
    architecture: type === 'mamba_diag' ? 'mamba-diag' : type,
    vocabSize: json.vocab_size,
    dModel: json.hidden_size,
    numLayers: json.num_hidden_layers,
    dState: json.state_size,
    expand: json.expand,
    dConv: json.conv_kernel,
    tieEmbeddings: json.tie_word_embeddings,
    normEps: json.layer_norm_epsilon,
    embeddingStd: json.initializer_range,
    timeStepMin: json.time_step_min,
    timeStepMax: json.time_step_max,
    timeStepFloor: json.time_step_floor,
  };
  if (type !== 'mamba2') {
    const scan = { ...shared, decay: json.ssm_decay, init: json.ssm_init };
    if (type === 'mamba_diag') return scan;
    return { ...scan, dtRank: json.time_step_rank === 'auto' ? undefined : json.time_step_rank };
  }
  const heads = json.num_heads;
  const headDim = json.head_dim;
  const inner = innerWidth({ expand: (json.expand as number) ?? 2, dModel: json.hidden_size as number });
  if (typeof heads === 'number' && typeof headDim === 'number' && heads * headDim !== inner) {
    fail('num_heads', `expand * hidden_size / head_dim = ${inner / headDim}`, heads);
  }
  return {
    ...shared,
    headDim,
    nGroups: json.n_groups,
    chunkSize: json.chunk_size,
    timeStepLimit: json.time_step_limit ?? undefined,
    normGroups: json.norm_groups,
    skipPerChannel: json.skip_per_channel,
  };
}

/** Defaults of mamba_ssm's `MambaConfig`, `Mamba` and `Mamba2` where the file is silent. */
function fromMambaSsm(json: Json): Json {
  const layer = (json.ssm_cfg ?? {}) as Json;
  const type = layer.layer ?? 'Mamba1';
  if (type !== 'Mamba1' && type !== 'Mamba2') fail('ssm_cfg.layer', "'Mamba1' or 'Mamba2'", type);
  if (json.rms_norm === false) fail('rms_norm', 'true', false);
  if (json.d_intermediate !== undefined && json.d_intermediate !== 0) {
    fail('d_intermediate', '0: blocks without an MLP', json.d_intermediate);
  }
  if (Array.isArray(json.attn_layer_idx) && json.attn_layer_idx.length > 0) {
    fail('attn_layer_idx', 'no attention layers', json.attn_layer_idx);
  }
  const multiple = (json.pad_vocab_size_multiple as number | undefined) ?? 8;
  const shared = {
    vocabSize: Math.ceil((json.vocab_size as number) / multiple) * multiple,
    dModel: json.d_model,
    numLayers: json.n_layer,
    dState: layer.d_state,
    expand: layer.expand,
    dConv: layer.d_conv,
    tieEmbeddings: json.tie_embeddings,
    timeStepMin: layer.dt_min,
    timeStepMax: layer.dt_max,
    timeStepFloor: layer.dt_init_floor,
  };
  if (type === 'Mamba1') {
    return { ...shared, architecture: 'mamba', dtRank: layer.dt_rank === 'auto' ? undefined : layer.dt_rank };
  }
  if (layer.d_ssm !== undefined && layer.d_ssm !== null) fail('ssm_cfg.d_ssm', 'none', layer.d_ssm);
  if (layer.norm_before_gate === true) fail('ssm_cfg.norm_before_gate', 'false', true);
  if (layer.rmsnorm === false) fail('ssm_cfg.rmsnorm', 'true', false);
  return {
    ...shared,
    architecture: 'mamba2',
    headDim: layer.headdim,
    nGroups: layer.ngroups,
    chunkSize: layer.chunk_size,
    timeStepLimit: layer.dt_limit,
    normGroups: layer.ngroups,
    skipPerChannel: layer.D_has_hdim,
  };
}

/** The text of a config.json that transformers reads, for weights of `dtype`. */
export function configText(config: ModelConfig, dtype: 'float32' | 'float64'): string {
  const text = JSON.stringify({ ...fields(config), dtype }, undefined, 2);
  return `${text.replace(new RegExp(`"${floatMark}([^"]*)"`, 'g'), '$1')}\n`;
}

/** `norm_groups`, `skip_per_channel`, `ssm_decay` and `ssm_init` are our own, written where they matter. */
function fields(config: ModelConfig): Json {
  const shared = {
    model_type: config.architecture.replace('-', '_'),
    vocab_size: config.vocabSize,
    hidden_size: config.dModel,
    intermediate_size: innerWidth(config),
    num_hidden_layers: config.numLayers,
    state_size: config.dState,
    expand: config.expand,
    conv_kernel: config.dConv,
    hidden_act: 'silu',
    use_bias: config.useBias,
    use_conv_bias: config.useConvBias,
    tie_word_embeddings: config.tieEmbeddings,
    layer_norm_epsilon: float(config.normEps),
    initializer_range: float(config.embeddingStd),
    residual_in_fp32: true,
    // With true, transformers 5.18 draws out_proj.weight anew after it has loaded the file.
    rescale_prenorm_residual: false,
    time_step_min: float(config.timeStepMin),
    time_step_max: float(config.timeStepMax),
    time_step_floor: float(config.timeStepFloor),
  };
  if (config.architecture !== 'mamba2') {
    const scan = {
      ...shared,
      ...(config.decay === 'diagonal' ? {} : { ssm_decay: config.decay }),
      ...(config.init === 'scaled' ? {} : { ssm_init: config.init }),
    };
    if (config.architecture === 'mamba-diag') return { architectures: ['MambaDiagForCausalLM'], ...scan };
    return { architectures: ['MambaForCausalLM'], ...scan, time_step_rank: config.dtRank };
  }
  return {
    architectures: ['Mamba2ForCausalLM'],
    ...shared,
    num_heads: headCount(config),
    head_dim: config.headDim,
    n_groups: config.nGroups,
    chunk_size: config.chunkSize,
    time_step_limit: config.timeStepLimit.map(float),
    ...(config.normGroups === 1 ? {} : { norm_groups: config.normGroups }),
    ...(config.skipPerChannel ? { skip_per_channel: true } : {}),
  };
}

const floatMark = 'float:';

/**
 * transformers tells 0 from 0.0 and refuses an integer where it wants a float; JSON has no infinity, for which it reads an
 * object. `configText` takes the quotes and the mark away.
 */
function float(value: number): unknown {
  if (Number.isFinite(value)) return `${floatMark}${Number.isInteger(value) ? value.toFixed(1) : value}`;
  return { __float__: value > 0 ? 'Infinity' : '-Infinity' };
}

/**
 * Parses a config.json, also one with the bare `Infinity` or `NaN` that Python writes, or `{"__float__": …}`.
 * @throws {SyntaxError} for anything else that is no JSON.
 */
export function parseConfigJson(text: string): Json {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) =>
    token.startsWith('"') ? token : `{"__float__":"${token}"}`,
  );
  const parsed: unknown = JSON.parse(quoted, (_, value: unknown) => {
    const float = (value as { __float__?: unknown } | null)?.__float__;
    return typeof float === 'string' ? Number(float) : value;
  });
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new SyntaxError('expected an object');
  }
  return parsed as Json;
}

function fail(key: string, wanted: string, got: unknown): never {
  throw new ConfigError({
    op: 'config.json',
    argument: key,
    wanted,
    got: JSON.stringify(got) ?? String(got),
  });
}
