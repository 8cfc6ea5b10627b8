import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AbortedError } from '@statespace/ssd-core';
import { writeFileAtomic } from '@statespace/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { analysisParams } from '../../experiment/analysis.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../../experiment/define.js';
import { temporaryFolder } from '../../testing/tiny-training.js';
import { type Reproduction, reproduceStudy } from '../reproduce.js';
import { runStudy, type StudyEntry } from '../run-study.js';
import { type Study, selectExperiments } from '../study.js';
import { html } from './html.js';
import { inlineSvg } from './inline-svg.js';
import { formatValue } from './value-table.js';

const svg =
  '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><defs><clipPath id="clip0"/></defs>' +
  '<g clip-path="url(#clip0)"><use xlink:href="#clip0"/><text>a &lt; b</text></g></svg>';

function experiment(
  name: string,
  run: (context: ExperimentContext, T: number) => Promise<ExperimentOutcome> | ExperimentOutcome,
) {
  return defineExperiment({
    name,
    aliases: [`${name}_long`],
    summary: `what ${name} <shows>`,
    paper: 'none',
    params: z.strictObject({ ...analysisParams(), T: z.int().default(100) }),
    fast: { T: 10 },
    run: async ({ T }, context) => run(context, T),
  });
}

const good = experiment('good', async ({ run }, T) => {
  for (const name of ['one', 'two']) await writeFileAtomic(join(run.figureDirectory(), `${name}.svg`), svg);
  return {
    status: 'completed',
    details: [
      { claim: 'a < b & "c"', passed: true, found: '1e-16' },
      { claim: 'it is quick', passed: false, found: '3 ms', advisory: true },
    ],
    metadata: {
      T,
      worst: 1.25e-9,
      rows: [
        { T: 10, rank: 3 },
        { T: 20, rank: 4, note: '<b>' },
      ],
      deep: { x: [1] },
    },
    artifacts: ['figures/one.svg', 'figures/one.png', 'figures/two.svg'],
  };
});
const bad = experiment('bad', () => ({
  status: 'completed',
  details: [
    { claim: 'ranks are equal', passed: false, found: '3\nnot 2' },
    { claim: 'other', passed: true, found: 'yes' },
  ],
  metadata: {},
  artifacts: [],
}));
const broken = experiment('broken', () => {
  throw new Error('no <memory>');
});

const study: Study = {
  name: 'sample',
  title: 'A sample & its study',
  paper: 'Nobody 2025',
  experiments: [good, bad, broken],
  corrections: [
    {
      claim: 'rank(M) = N',
      holds: 'rank(M) = T',
      command: 'run good --T 7',
      experiment: 'good_long',
      evidence: ({ T }) => `T = ${T}`,
    },
  ],
  companions: async (outDir, program) => [html`<h2>Beside</h2>${outDir} ${program}`],
};

async function reproduce(outDir: string, fast: boolean): Promise<Reproduction> {
  const command = 'statespace reproduce sample';
  const options = { outDir, fast, command, program: 'statespace' };
  const steps = reproduceStudy(study, options);
  for (;;) {
    const next = await steps.next();
    if (next.done === true) return next.value;
  }
}

describe('the report of a study', () => {
  const folder = temporaryFolder();
  let outcome: Reproduction;
  let text: string;
  beforeAll(async () => {
    outcome = await reproduce(folder.path, true);
    text = readFileSync(outcome.report, 'utf8');
    return () => folder[Symbol.dispose]();
  });

  test('comes after every experiment, one that breaks off included', () => {
    expect(outcome.report).toBe(join(folder.path, 'sample', 'reproduce-fast', 'report.html'));
    expect(outcome.passed).toBe(false);
    expect(outcome.entries.map(({ status }) => status)).toEqual(['passed', 'failed', 'error']);
    expect(outcome.entries.map(({ summary }) => summary)).toEqual([
      '1e-16; 3 ms',
      'ranks are equal: 3 not 2',
      'no <memory>',
    ]);
    expect(text).toContain('1 of 3 experiments passed: 2 checks held, 1 failed; 1 timing expectation');
  });

  test('loads nothing: no script, no link, no address but that of the SVG name space', () => {
    expect(text).not.toMatch(/<script|<link|<img|@import|\bsrc=/);
    expect(text.match(/https?:[^"\s<]+/g)?.filter((url) => url !== 'http://www.w3.org/2000/svg')).toEqual([]);
    expect(text).toContain("default-src 'none'");
  });

  test('shows checks, escaped, and draws the figures with ids of their own', () => {
    expect(text).toContain('a &lt; b &amp; &quot;c&quot;');
    expect(text).toContain('what good &lt;shows&gt;');
    expect(text).toContain('no &lt;memory&gt;');
    expect(text).not.toContain('<memory>');
    expect(text.match(/<svg /g)).toHaveLength(2);
    const ids = [...text.matchAll(/<clipPath id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(['good-1-clip0', 'good-2-clip0']);
    for (const id of ids) expect(text).toContain(`url(#${id})`);
  });

  test('every link leads somewhere', () => {
    const targets = [...text.matchAll(/<a href="#([^"]+)"/g)].map(([, target]) => target);
    expect(targets.length).toBeGreaterThan(3);
    for (const target of targets) expect(text).toContain(`id="${target}"`);
  });

  test('tables hold the numbers of the quick version, and the correction its evidence', () => {
    expect(text).toContain('<td class="number">1.25e-9</td>');
    expect(text).toContain('<td>&lt;b&gt;</td>');
    expect(text).toContain('T = 10 (<a href="#good">good_long</a>)');
    expect(text).toContain('statespace run good --T 7');
    expect(text).toContain(`<h2>Beside</h2>${folder.path} statespace`);
  });

  test('says where it comes from, and stands beside its data', () => {
    expect(text).toContain(process.version);
    expect(text).toContain('<code>statespace reproduce sample</code>');
    const data = JSON.parse(readFileSync(join(dirname(outcome.report), 'report.json'), 'utf8'));
    expect(data).toMatchObject({ formatVersion: 1, study: 'sample', fast: true });
    expect(data.experiments[0]).toMatchObject({
      name: 'good',
      status: 'passed',
      result: { metadata: { T: 10 } },
    });
    expect(data.experiments[2]).toMatchObject({ name: 'broken', status: 'error', summary: 'no <memory>' });
  });
});

test('without fast the parameters are the whole ones', async () => {
  using folder = temporaryFolder();
  const { entries } = await reproduce(folder.path, false);
  const [first] = entries as [StudyEntry];
  expect(first).toMatchObject({ result: { metadata: { T: 100 } } });
});

describe('runStudy', () => {
  test('stops between experiments when it is asked to', async () => {
    using folder = temporaryFolder();
    const { RunStore } = await import('../../runs/run-store.js');
    const controller = new AbortController();
    const seen: string[] = [];
    const go = async () => {
      const options = { store: new RunStore(folder.path), signal: controller.signal };
      for await (const { experiment: ended } of runStudy(study.experiments, options)) {
        seen.push(ended.name);
        if (ended === bad) controller.abort();
      }
    };
    await expect(go()).rejects.toThrow(AbortedError);
    expect(seen).toEqual(['good', 'bad']);
  });
});

describe('selectExperiments', () => {
  test('knows names and aliases, and keeps the order of the study', () => {
    expect(selectExperiments(study, ['broken', 'good_long', 'good'])).toEqual([good, broken]);
    expect(selectExperiments(study)).toBe(study.experiments);
  });

  test('refuses others, with the nearest name', () => {
    expect(() => selectExperiments(study, ['goood'])).toThrow("Did you mean 'good'?");
    expect(() => selectExperiments(study, ['other'])).toThrow('one of good, bad, broken');
  });
});

test('an SVG without a view box gets one, so that it can be made smaller', () => {
  const { text } = inlineSvg(svg, 'p', 'a "b"');
  expect(text).toMatch(/^<svg /);
  expect(text).toContain('viewBox="0 0 30 20"');
  expect(text).toContain('aria-label="a &quot;b&quot;"');
  expect(text).toContain('href="#p-clip0"');
});

test.each([
  [12, '12'],
  [0.1234567, '0.12346'],
  [1.5e-12, '1.50e-12'],
  [2.5e7, '25000000'],
  [1234567.8, '1.23e+6'],
  [[1, 0.25], '1, 0.25'],
  [true, 'true'],
  [undefined, ''],
])('the cell of %j is %s', (value, text) => {
  expect(formatValue(value)).toBe(text);
});
