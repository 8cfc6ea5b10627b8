import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url));

// Where continuous integration wants the totals.
const report = process.env.STATESPACE_TEST_REPORT;

export default defineConfig({
  resolve: {
    // Tests run against the sources, so that a test never passes on a stale build.
    alias: [
      {
        find: /^@statespace\/(ssd-core|native-scan)\/([a-z-]+)$/,
        replacement: `${source('$1')}/src/$2/index.ts`,
      },
      {
        find: /^@statespace\/(ssd-core|native-scan|tensor|models|datasets|experiments|cli)$/,
        replacement: `${source('$1')}/src/index.ts`,
      },
    ],
  },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'scripts/**/*.test.ts',
      'bench/*.test.mjs',
    ],
    pool: 'forks',
    testTimeout: 60_000,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
