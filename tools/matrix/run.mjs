// Builds and tests core, syscalls, posix-compat, signals and nats on every Node in package.json. README.md says what for.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { failuresIn } from '../test/failures.mjs';
import { installedVersion, installNodes, nodes as majors, nodeFolder } from './nodes.mjs';

const root = join(import.meta.dirname, '..', '..');
// The first two together: neither keeps the other from happening, and a scavenge in the middle of marking is what neither has alone.
const stressFlags = [
  '--stress-incremental-marking --stress-scavenge=50',
  '--expose-gc --gc-interval=100 --stress-compaction',
];

// What meets V8's own state the most. On a Node that is neither the oldest nor the newest, only these run under stress flags: a fault of ours
// shows at either end, and one of V8's that only those in the middle have is most likely here.
const stressedBetween = ['preempt/preempt', 'rfork/rfork', 'survive', 'rfork/tokens', 'traps'];

const help = `usage: node tools/matrix/run.mjs [--node MAJOR]... [--no-stress] [--after-test]

Builds the native code of core, syscalls, posix-compat and signals for each Node (${majors.join(', ')}) and runs their tests with it.

  --node MAJOR  only this version; may be given several times
  --no-stress   leave out core's runs under V8's garbage-collection stress flags: all of core's tests on the oldest and the newest,
                ${stressedBetween.join(', ')} on the others
  --after-test  'npm test' has just passed: what it has built and run is left out, which is all without stress flags on the Node that runs this
  --help        this text
`;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        node: { type: 'string', multiple: true, default: majors },
        'no-stress': { type: 'boolean', default: false },
        'after-test': { type: 'boolean', default: false },
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

/** A package's tests that start programs in a Node with LIBCR_NODE_FLAGS (test/run.ts). To the others flags, and in posix-compat and signals Nodes, mean nothing. */
function testsInNode(name) {
  const folder = join(root, 'packages', name, 'test');
  return readdirSync(folder, { recursive: true })
    .filter(
      (file) => file.endsWith('.test.ts') && readFileSync(join(folder, file), 'utf8').includes("/run.ts'"),
    )
    .map((file) => `test/${file}`)
    .sort();
}

async function testOn(major, { 'no-stress': noStress, 'after-test': afterTest }) {
  const directory = nodeFolder(major);
  const node = join(directory, 'bin', 'node');
  const version = installedVersion(major);
  const buildNative = join(root, 'tools', 'build-native.mjs');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');

  const build = (name) =>
    step(version, `build ${name}`, '', [process.execPath, buildNative, `packages/${name}`], {
      LIBCR_BUILD_NODE: directory,
    });
  // The C programs know no Node: npm test runs them, once.
  const args = ['run', '--exclude', '**/{native,aarch64}.test.ts'];
  const test = (name, flags, more = []) =>
    step(version, `test ${name}`, flags, [node, vitest, ...args, ...more, '--root', `packages/${name}`], {
      PATH: `${join(directory, 'bin')}${delimiter}${process.env.PATH}`,
      LIBCR_NODE_FLAGS: flags,
    });

  const atEnd = major === majors[0] || major === majors.at(-1);
  const tested = afterTest && process.version === `v${version}`;
  const steps = [];
  if (!tested) {
    for (const name of ['core', 'syscalls', 'posix-compat', 'signals']) steps.push(await build(name));
    if (!steps.every(({ passed }) => passed)) return steps; // a test would only meet an older build
    // Without a ring, and with sanitizers, it is the C half that does something else: to it Nodes differ less.
    const less = atEnd ? [] : ['--project=chosen'];
    steps.push(await test('core', ''), await test('syscalls', '', less));
    for (const name of ['posix-compat', 'signals']) steps.push(await test(name, '', testsInNode(name)));
    steps.push(await test('nats', ''));
  }
  if (noStress) return steps;
  const files = atEnd ? testsInNode('core') : stressedBetween.map((name) => `test/${name}.test.ts`);
  for (const flags of stressFlags) steps.push(await test('core', flags, files));
  return steps;
}

/** Again, where whoever reads only the end of the log finds it. */
function printFailures(steps) {
  const failed = steps.filter(({ passed }) => !passed);
  for (const { version, what, flags, printed } of failed) {
    const lines = failuresIn(printed, failed.length);
    console.log(`\n=== FAILED on Node ${version}: ${what} ${flags}\n${lines.join('\n')}`);
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
// Node 20 reads this file at every start, which takes longer than the rest of its start, and the tests start Nodes by the thousand.
// (turbo, through which npm test comes, passes no such variable on.)
delete process.env.NODE_EXTRA_CA_CERTS;
const steps = [];
for (const major of options.node) steps.push(...(await testOn(major, options)));
printFailures(steps);
printTable(steps);
process.exitCode = steps.every(({ passed }) => passed) ? 0 : 1;
