// Runs the examples in the documents at the top of the repository, in docs/, of @libcr/syscalls, @libcr/posix-compat and @libcr/signals, and compares what they print.
//
// An example is a fenced block whose first line says js or ts and the word "run". If the next fenced block is a text block, that is what the
// example must print on stdout, to the letter; without one it only has to end with exit code 0. Other blocks are not run.
//
// Invariant: a run in which no example was found fails: it has checked nothing.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

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
    'packages/syscalls/README.md',
    'packages/posix-compat/README.md',
    'packages/signals/README.md',
  ];
  return [...named.map((name) => join(root, name)), ...inDocs];
}

/** All fenced blocks: { info, text, line }. */
function blocks(markdown) {
  const found = [];
  let open;
  markdown.split('\n').forEach((text, i) => {
    const fence = /^\s*```(.*)$/.exec(text);
    if (fence && open) {
      found.push({ ...open, text: open.lines.map((line) => `${line}\n`).join('') });
      open = undefined;
    } else if (fence) open = { info: fence[1].trim(), lines: [], line: i + 1 };
    else open?.lines.push(text);
  });
  return found;
}

function examples(file) {
  const all = blocks(readFileSync(file, 'utf8'));
  return all.flatMap(({ info, text, line }, i) => {
    const [language, ...words] = info.split(/\s+/);
    if (!words.includes('run')) return [];
    if (language !== 'js' && language !== 'ts')
      throw new Error(`${file}:${line}: "${info}": only js and ts can run`);
    const next = all[i + 1];
    return [{ file, line, language, text, output: next?.info === 'text' ? next.text : undefined }];
  });
}

function run({ language, text }, directory, n) {
  const file = join(directory, `example-${n}.${language === 'ts' ? 'mts' : 'mjs'}`);
  writeFileSync(file, text);
  const args = language === 'ts' ? [cli, 'run', file] : [file];
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: TIME_LIMIT });
}

/** What is wrong with an example's run; undefined if nothing is. */
function fault({ output }, { status, signal, stdout, stderr }) {
  if (status !== 0) return `ended with ${signal ?? `exit code ${status}`}\n${stdout}${stderr}`;
  if (output !== undefined && stdout !== output) return `printed\n${stdout}instead of\n${output}${stderr}`;
  return undefined;
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
