import { describe, expect, it } from 'vitest';
import { completeConfig } from './complete-config.js';
import { configFromJson, configText, parseConfigJson } from './hugging-face.js';

const names = new Set(['backbone.layers.0.mixer.conv1d.bias']);

describe('config.json', () => {
  it.each([
    completeConfig({ architecture: 'mamba', vocabSize: 64, dModel: 48, numLayers: 3, dtRank: 5, dState: 8 }),
    completeConfig({
      architecture: 'mamba2',
      vocabSize: 64,
      dModel: 64,
      numLayers: 2,
      headDim: 16,
      nGroups: 2,
      normGroups: 2,
      skipPerChannel: true,
      tieEmbeddings: false,
    }),
    completeConfig({
      architecture: 'mamba2',
      vocabSize: 8,
      dModel: 32,
      numLayers: 1,
      timeStepLimit: [0.01, 0.5],
    }),
  ])('round-trips $architecture', (config) => {
    const text = configText(config, 'float32');
    expect(configFromJson(parseConfigJson(text), names)).toEqual(config);
    // transformers refuses an integer where it wants a float.
    expect(text).toContain(`"time_step_max": ${config.timeStepMax}`);
    expect(text).not.toMatch(/"(time_step_(min|max|floor)|layer_norm_epsilon|initializer_range)": \d+,/);
    expect(text).toContain('"rescale_prenorm_residual": false');
    expect(text).not.toMatch(/"time_step_limit": \[\s*\d+,/);
  });

  it('takes biases from the tensors, not from a default that changed between releases', () => {
    const json = {
      model_type: 'mamba',
      vocab_size: 8,
      hidden_size: 16,
      num_hidden_layers: 1,
      use_bias: true,
    };
    expect(configFromJson(json, names)).toMatchObject({ useBias: false, useConvBias: true });
    const biased = new Set(['backbone.layers.0.mixer.in_proj.bias']);
    expect(configFromJson(json, biased)).toMatchObject({ useBias: true, useConvBias: false });
  });

  it('reads the infinities that Python writes', () => {
    const text = '{"a": [0.0, Infinity], "b": -Infinity, "c": "Infinity", "d": {"__float__": "Infinity"}}';
    expect(parseConfigJson(text)).toEqual({
      a: [0, Number.POSITIVE_INFINITY],
      b: Number.NEGATIVE_INFINITY,
      c: 'Infinity',
      d: Number.POSITIVE_INFINITY,
    });
    expect(() => parseConfigJson('[1]')).toThrow(SyntaxError);
    expect(() => parseConfigJson('{"a": Infinit}')).toThrow(SyntaxError);
  });

  it('reads the files of mamba_ssm', () => {
    const mamba = { d_model: 768, n_layer: 24, vocab_size: 50277, ssm_cfg: {}, rms_norm: true };
    expect(configFromJson(mamba, names)).toMatchObject({
      architecture: 'mamba',
      vocabSize: 50280,
      dModel: 768,
      numLayers: 24,
      dtRank: 48,
      dState: 16,
    });
    const mamba2 = { ...mamba, pad_vocab_size_multiple: 16, ssm_cfg: { layer: 'Mamba2', ngroups: 2 } };
    expect(configFromJson(mamba2, names)).toMatchObject({
      architecture: 'mamba2',
      vocabSize: 50288,
      dState: 128,
      headDim: 64,
      nGroups: 2,
      normGroups: 2,
    });
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ model_type: 'llama' }, /model_type: expected 'mamba', 'mamba_diag' or 'mamba2', got "llama"/],
    [{ model_type: 'mamba', hidden_act: 'gelu', hidden_size: 8 }, /hidden_act/],
    [{ model_type: 'mamba2', hidden_size: 64, expand: 2, head_dim: 16, num_heads: 4 }, /num_heads/],
    [{ d_model: 8, ssm_cfg: { layer: 'Mamba3' } }, /ssm_cfg.layer/],
    [{ d_model: 8, rms_norm: false }, /rms_norm/],
    [{ d_model: 8, attn_layer_idx: [3] }, /attn_layer_idx/],
    [{ d_model: 8, d_intermediate: 16 }, /d_intermediate/],
    [{ d_model: 128, ssm_cfg: { layer: 'Mamba2', d_ssm: 64 } }, /d_ssm/],
  ])('refuses %j', (json, message) => {
    expect(() => configFromJson(json, names)).toThrow(message);
  });
});
