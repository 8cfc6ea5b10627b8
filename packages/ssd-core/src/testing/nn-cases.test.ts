import { expect, test } from 'vitest';
import { loadGolden, nnFixture } from './index.js';

const golden = loadGolden('nn', test.skip);

test.runIf(golden !== undefined)('the fixture holds the golden file’s own numbers', () => {
  const fixture = nnFixture();
  expect(fixture.source).toEqual(golden?.source);
  expect(fixture.note).toBe(golden?.note);
  for (const copied of fixture.cases) {
    expect(copied).toEqual(golden?.cases.find(({ name }) => name === copied.name));
  }
});
