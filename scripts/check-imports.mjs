/**
 * Checks that imports between packages run one way, and that two doors stay single: only tensor's
 * default-backend.ts knows native-scan, and only ssd-core/structure loads ml-matrix.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Package -> packages it may import. Tests are free: they compare packages. */
const allowed = {
  'ssd-core': [],
  'native-scan': ['ssd-core'],
  tensor: ['ssd-core', 'native-scan'],
  models: ['ssd-core', 'tensor'],
  datasets: ['ssd-core', 'tensor'],
  experiments: ['ssd-core', 'tensor', 'models', 'datasets'],
  cli: ['ssd-core', 'tensor', 'models', 'datasets', 'experiments'],
};

const importPattern = /(?:from\s+|import\s*\(\s*|import\s+)['"]([^'"]+)['"]/g;

function* sourcesOf(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== 'testing') yield* sourcesOf(path);
    } else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) yield path;
  }
}

const problems = [];
for (const [name, may] of Object.entries(allowed)) {
  const source = join(root, 'packages', name, 'src');
  for (const file of sourcesOf(source)) {
    const where = relative(root, file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(importPattern)) {
      const target = /^@statespace\/([^/]+)/.exec(specifier)?.[1];
      if (target !== undefined && target !== name && !may.includes(target)) {
        problems.push(
          `${where} imports ${specifier}: ${name} may import ${may.join(', ') || 'no other package'}`,
        );
      }
      if (target === 'native-scan' && name === 'tensor' && !file.endsWith('default-backend.ts')) {
        problems.push(`${where} imports ${specifier}: only default-backend.ts may`);
      }
      if (specifier === 'ml-matrix' && !where.includes(join('ssd-core', 'src', 'structure'))) {
        problems.push(`${where} imports ml-matrix: only ssd-core/structure may`);
      }
      if (specifier.startsWith('.') && !join(dirname(file), specifier).startsWith(source)) {
        problems.push(`${where} imports ${specifier}: outside its package`);
      }
    }
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
