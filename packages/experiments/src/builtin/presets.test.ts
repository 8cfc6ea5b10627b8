import { describe, expect, test } from 'vitest';
import { mergeLayers } from '../config/layers.js';
import { schemaFlags } from '../config/schema-flags.js';
import { readYamlFile } from '../config/yaml-file.js';
import { checkParams } from '../experiment/run-experiment.js';
import { builtinExperiments } from './index.js';
import { mobyDickPreset } from './moby-dick.js';
import { tinyPreset } from './tiny.js';
import { wikitext2Preset } from './wikitext2.js';

const configs = new URL('../../../../configs/', import.meta.url);

describe('presets', () => {
  test.each([
    ['moby-dick.yaml', mobyDickPreset],
    ['wikitext2-mamba.yaml', wikitext2Preset],
    ['tiny.yaml', tinyPreset],
  ])('configs/%s says what the experiment runs', (file, preset) => {
    expect(readYamlFile(new URL(file, configs).pathname)).toEqual(preset);
  });

  test.each(builtinExperiments.list().filter(({ preset }) => preset !== undefined))(
    'the preset of $name passes its own checks',
    (experiment) => {
      expect(checkParams(experiment, experiment.preset ?? {}, 'preset')).toMatchObject({ seed: 0 });
    },
  );

  test.each(builtinExperiments.list().filter(({ fast }) => fast !== undefined))(
    'the fast version of $name fits its schema, and differs from the whole',
    (experiment) => {
      const whole = checkParams(experiment, experiment.preset ?? {}, 'preset');
      const fast = mergeLayers(experiment.preset ?? {}, experiment.fast ?? {});
      expect(checkParams(experiment, fast, 'fast')).not.toEqual(whole);
    },
  );

  test('every parameter is described, and no two flags of an experiment are the same', () => {
    for (const { name, params } of builtinExperiments.list()) {
      // `--seed` is the command's own, unless an experiment over seeds takes it.
      const flags = schemaFlags(params).filter(({ path }) => path !== 'seed');
      const names = flags.flatMap((flag) => flag.names);
      expect(new Set(names).size, name).toBe(names.length);
      for (const flag of flags) expect(flag.description, `${name} ${flag.path}`).not.toBe('');
    }
  });
});
