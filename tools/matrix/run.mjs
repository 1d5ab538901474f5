// Builds and tests core and syscalls on every Node in package.json. README.md says what for.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const stressFlags = [
  '--stress-incremental-marking',
  '--stress-scavenge=50',
  '--expose-gc --gc-interval=100 --stress-compaction',
];

const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const majors = Object.keys(dependencies).map((name) => name.replace('node', ''));

const help = `usage: node tools/matrix/run.mjs [--node MAJOR]... [--no-stress]

Builds the native code of core and syscalls for each Node (${majors.join(', ')}) and runs their tests with it.

  --node MAJOR  only this version; may be given several times
  --no-stress   leave out core's runs under V8's garbage-collection stress flags
  --help        this text
`;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        node: { type: 'string', multiple: true, default: majors },
        'no-stress': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const unknown = values.node.find((major) => !majors.includes(major));
    if (unknown) throw new Error(`no Node ${unknown} in tools/matrix/package.json`);
    return values;
  } catch (error) {
    console.error(`${error.message}\n\n${help}`);
    process.exit(2);
  }
}

/** The version of the Node that is installed here under `name`; undefined if there is none. */
function installedVersion(name) {
  const manifest = join(here, 'node_modules', name, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}

function installNodes() {
  if (Object.entries(dependencies).every(([name, spec]) => spec.endsWith(`@${installedVersion(name)}`)))
    return;
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: here, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

/**
 * Every step is `{ what, flags, passed, seconds, printed }`; this runs one and says so. What it prints is shown as
 * it comes and kept, for the end of the log.
 */
async function step(version, what, flags, command, env) {
  console.log(`\n=== Node ${version}: ${what} ${flags}`);
  const start = performance.now();
  const child = spawn(command[0], command.slice(1), {
    cwd: root,
    stdio: ['inherit', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let printed = '';
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', (text) => {
      printed += text;
      process[stream].write(text);
    });
  const [status] = await once(child, 'close');
  const seconds = (performance.now() - start) / 1000;
  return { version, what, flags, passed: status === 0, seconds, printed };
}

async function testOn(major, stress) {
  const directory = join(here, 'node_modules', `node${major}`);
  const node = join(directory, 'bin', 'node');
  const version = installedVersion(`node${major}`);
  const buildNative = join(root, 'tools', 'build-native.mjs');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');

  const build = (name) =>
    step(version, `build ${name}`, '', [process.execPath, buildNative, `packages/${name}`], {
      LIBCR_BUILD_NODE: directory,
    });
  // The C programs know no Node: npm test runs them, once.
  const args = ['run', '--exclude', '**/{native,aarch64}.test.ts'];
  const test = (name, flags) =>
    step(version, `test ${name}`, flags, [node, vitest, ...args, '--root', `packages/${name}`], {
      PATH: `${join(directory, 'bin')}${delimiter}${process.env.PATH}`,
      LIBCR_NODE_FLAGS: flags,
    });

  const steps = [await build('core'), await build('syscalls')];
  if (!steps.every(({ passed }) => passed)) return steps; // a test would only meet an older build
  steps.push(await test('core', ''), await test('syscalls', ''));
  for (const flags of stress ? stressFlags : []) steps.push(await test('core', flags));
  return steps;
}

/** Again, where whoever reads only the end of the log finds it. */
function printFailures(steps) {
  for (const { version, what, flags, printed } of steps.filter(({ passed }) => !passed)) {
    console.log(`\n=== FAILED on Node ${version}: ${what} ${flags}`);
    console.log(printed);
  }
}

function printTable(steps) {
  console.log(
    `\n${'Node'.padEnd(10)}${'step'.padEnd(16)}${'result'.padEnd(8)}${'seconds'.padStart(7)}  V8 flags`,
  );
  for (const { version, what, flags, passed, seconds } of steps) {
    const result = passed ? 'pass' : 'FAIL';
    const line = `${version.padEnd(10)}${what.padEnd(16)}${result.padEnd(8)}${seconds.toFixed(1).padStart(7)}`;
    console.log(`${line}  ${flags}`.trimEnd());
  }
}

const options = readOptions();
if (options.help) {
  console.log(help);
  process.exit(0);
}
installNodes();
const steps = [];
for (const major of options.node) steps.push(...(await testOn(major, !options['no-stress'])));
printFailures(steps);
printTable(steps);
process.exitCode = steps.every(({ passed }) => passed) ? 0 : 1;
