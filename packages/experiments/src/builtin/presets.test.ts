import { describe, expect, test } from 'vitest';
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
});
