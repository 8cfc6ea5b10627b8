import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenCases, maxRelativeError } from '@statespace/ssd-core/testing';
import { Generator, readSafetensors, writeSafetensors } from '@statespace/tensor';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { ModelOptions } from '../config/model-config.js';
import { createModel } from '../create-model.js';
import type { CausalLM } from '../language-model/causal-lm.js';
import { arrayOf, goldenTensor } from '../testing/golden-model.js';
import { loadPretrained } from './load-pretrained.js';
import { savePretrained } from './save-pretrained.js';

const shared = { vocabSize: 24, dModel: 16, numLayers: 2, dState: 4 } as const;
const configs: readonly ModelOptions[] = [
  { ...shared, architecture: 'mamba' },
  { ...shared, architecture: 'mamba', useBias: true, useConvBias: false, tieEmbeddings: false },
  { ...shared, architecture: 'mamba2', headDim: 8, nGroups: 2, normGroups: 2, skipPerChannel: true },
  { ...shared, architecture: 'mamba', decay: 'scalar', init: 'minimal' },
  { ...shared, architecture: 'mamba-diag' },
  { ...shared, architecture: 'mamba-diag', decay: 'scalar', init: 'minimal', useBias: true },
];
const place = { device: 'reference' } as const;
const numbers = (model: CausalLM) => model.namedParameters().map(([name, p]) => [name, [...p.toArray()]]);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'statespace-models-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const saved = async (config: ModelOptions = configs[0] as ModelOptions, maxShardBytes?: number) => {
  const model = createModel(config, { ...place, generator: new Generator(4) });
  await savePretrained(model, folder, maxShardBytes === undefined ? {} : { maxShardBytes });
  return model;
};
const weights = () => join(folder, 'model.safetensors');
const rewrite = async (change: (tensors: Awaited<ReturnType<typeof readSafetensors>>['tensors']) => void) => {
  const { tensors } = await readSafetensors(weights(), place);
  change(tensors);
  await writeSafetensors(weights(), tensors);
};

describe('savePretrained and loadPretrained', () => {
  it.each(configs)('keep every number and the configuration (%#)', async (config) => {
    const model = await saved(config);
    expect((await readdir(folder)).sort()).toEqual(['config.json', 'model.safetensors']);
    const again = await loadPretrained(folder, place);
    expect(again.config).toEqual(model.config);
    expect(numbers(again)).toEqual(numbers(model));
    expect(again.parameters().map(({ decay }) => decay)).toEqual(
      model.parameters().map(({ decay }) => decay),
    );
  });

  it('keep float64', async () => {
    const model = createModel(configs[2] as ModelOptions, { ...place, dtype: 'f64' });
    await savePretrained(model, folder);
    expect(numbers(await loadPretrained(folder, { ...place, dtype: 'f64' }))).toEqual(numbers(model));
    const rounded = await loadPretrained(folder, place);
    expect(rounded.headWeight.dtype).toBe('f32');
  });

  it('split into shards and read them, and replace what an earlier save left', async () => {
    await saved();
    const model = await saved(configs[0] as ModelOptions, 4000);
    const files = await readdir(folder);
    expect(files).not.toContain('model.safetensors');
    expect(files.filter((file) => file.startsWith('model-')).length).toBeGreaterThan(2);
    const index = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8'));
    expect(index.metadata.total_size).toBe(model.parameterCount * 4);
    expect(numbers(await loadPretrained(folder, place))).toEqual(numbers(model));
    await saved();
    expect(numbers(await loadPretrained(folder, place))).toEqual(numbers(model));
  });

  it('read the names of mamba_ssm, and a tied head that is stored twice', async () => {
    const model = await saved();
    await rewrite((tensors) => {
      const embedding = tensors.get('backbone.embeddings.weight');
      if (embedding === undefined) throw new Error('no embedding');
      tensors.delete('backbone.embeddings.weight');
      tensors.set('backbone.embedding.weight', embedding);
      tensors.set('lm_head.weight', embedding);
    });
    const ssm = { d_model: 16, n_layer: 2, vocab_size: 20, ssm_cfg: { d_state: 4 }, rms_norm: true };
    await writeFile(join(folder, 'config.json'), JSON.stringify(ssm));
    expect(numbers(await loadPretrained(folder, place))).toEqual(numbers(model));
  });

  it('read half-precision weights', async () => {
    const model = await saved();
    await rewrite((tensors) => {
      for (const [name, tensor] of tensors) tensors.set(name, tensor.cast('bf16'));
    });
    const again = await loadPretrained(folder, place);
    for (const [i, parameter] of again.parameters().entries()) {
      const error = maxRelativeError(parameter.toArray(), model.parameters()[i]?.toArray() ?? []);
      expect(error).toBeLessThan(2 ** -8);
    }
  });
});

describe('loadPretrained names what is wrong', () => {
  const refuses = (message: RegExp) => expect(loadPretrained(folder, place)).rejects.toThrow(message);

  it('in the tensors', async () => {
    await saved();
    const whole = join(folder, 'whole');
    await cp(weights(), whole);
    await rewrite((tensors) => tensors.delete('backbone.norm_f.weight'));
    await refuses(/without backbone\.norm_f\.weight/);
    await cp(whole, weights());
    await rewrite((tensors) => tensors.set('extra', tensors.get('backbone.norm_f.weight') as never));
    await refuses(/unexpected extra/);
    await cp(whole, weights());
    await rewrite((tensors) =>
      tensors.set('backbone.norm_f.weight', tensors.get('backbone.layers.0.mixer.D') as never),
    );
    await refuses(/backbone\.norm_f\.weight: expected \(16\), got \(32\)/);
    await cp(whole, weights());
    await truncate(weights(), 3000);
    await expect(loadPretrained(folder, place)).rejects.toMatchObject({ code: 'ERR_FORMAT' });
  });

  it('in the folder', async () => {
    await refuses(/config\.json.*no such file/);
    await saved();
    await rm(weights());
    await refuses(/model\.safetensors or model\.safetensors\.index\.json, got neither/);
    await writeFile(join(folder, 'config.json'), '{');
    await refuses(/no JSON object/);
  });

  it('in the index', async () => {
    await saved(configs[0] as ModelOptions, 4000);
    const path = join(folder, 'model.safetensors.index.json');
    const index = JSON.parse(await readFile(path, 'utf8'));
    const name = 'backbone.norm_f.weight';
    const with_ = (shard: unknown) =>
      writeFile(path, JSON.stringify({ weight_map: { ...index.weight_map, [name]: shard } }));
    for (const shard of ['../model.safetensors', '/etc/x.safetensors', 'a\\b.safetensors', 'model.bin', 3]) {
      await with_(shard);
      await refuses(/files in the same folder/);
    }
    const other = Object.values(index.weight_map).find((shard) => shard !== index.weight_map[name]);
    await with_(other);
    await refuses(/the tensor backbone\.norm_f\.weight/);
    await with_('absent.safetensors');
    await expect(loadPretrained(folder, place)).rejects.toMatchObject({ code: 'ERR_IO' });
    await writeFile(path, '{}');
    await refuses(/weight_map.*got none/);
  });

  it('in the option of saving', async () => {
    await expect(saved(configs[0] as ModelOptions, 0)).rejects.toThrow(/maxShardBytes/);
  });
});

const golden = goldenCases('mamba-models', test.skip);

describe.each([
  ['hf-mamba1-2layer-L17', 'mamba1-2layer-L17'],
  ['hf-mamba2-2layer-L17', 'mamba2-2layer-L17'],
])('the checkpoint %s of transformers', (checkpoint, name) => {
  it.runIf(golden.length > 0)('loads and gives the golden logits', async () => {
    const place = { device: 'reference', dtype: 'f64' } as const;
    const model = await loadPretrained(join(process.env.STATESPACE_GOLDEN as string, checkpoint), place);
    const one = golden.find((candidate) => candidate.name === name);
    if (one === undefined) throw new Error(`no case ${name}`);
    const logits = model.forward(goldenTensor(arrayOf(one.inputs, 'input_ids'), place));
    expect(maxRelativeError(logits.toArray(), arrayOf(one.outputs, 'logits').data)).toBeLessThan(1e-12);
  });
});
