// Runs the examples in the documents at the top of the repository, in docs/, and in the packages' READMEs, and compares what they print.
//
// Invariant: a run in which no example was found fails: it has checked nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examples, fault } from './examples.mjs';

const root = join(import.meta.dirname, '..', '..');
const cache = join(import.meta.dirname, '.cache'); // inside of the repository, so that @libcr/* is found
const cli = join(root, 'apps', 'lwkt', 'dist', 'cli.js');
const TIME_LIMIT = 120_000;

function documents() {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const named = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'packages/core/README.md',
    'packages/syscalls/README.md',
    'packages/posix-compat/README.md',
    'packages/signals/README.md',
  ];
  return [...named.map((name) => join(root, name)), ...inDocs];
}

function run({ language, text }, directory, n) {
  const file = join(directory, `example-${n}.${language === 'ts' ? 'mts' : 'mjs'}`);
  writeFileSync(file, text);
  const args = language === 'ts' ? [cli, 'run', file] : [file];
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: TIME_LIMIT });
}

mkdirSync(cache, { recursive: true });
const directory = mkdtempSync(join(cache, 'examples-'));
let failed = 0;
let count = 0;
try {
  for (const example of documents().flatMap(examples)) {
    if (example.language === 'ts' && !existsSync(cli)) throw new Error(`${cli} is missing: npm run build`);
    const where = `${example.file.slice(root.length + 1)}:${example.line}`;
    const wrong = fault(example, run(example, directory, ++count));
    console.log(`${wrong === undefined ? 'ok    ' : 'FAILED'} ${where}`);
    if (wrong === undefined) continue;
    failed++;
    console.error(`${where}: ${wrong}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
if (count === 0) console.error('check-examples: there is not one example to run');
else console.log(`${count - failed} of ${count} examples print what they say`);
process.exitCode = failed > 0 || count === 0 ? 1 : 0;
