// Installs the tarballs of pack.mjs into empty folders, with each Node in tools/matrix/package.json, as somebody would who has no compiler, and uses them.
//
// Such a folder is outside of the repository, so that nothing is found there by chance, and PATH has that Node, npm, a shell and the coreutils only. On the newest
// Node it is then tried what there is to do where no native half fits: the prebuilt ones are taken away, and the command that the error names is run, with a
// compiler. Jest runs on each Node.
//
// Invariant: a step fails by its exit status or by what it prints, and the first that fails ends the check with all that it printed.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { examples, fault } from '../docs/examples.mjs';
import { installedVersion, installNodes, nodeFolder, nodes } from '../matrix/nodes.mjs';
import { packages, tarball } from './pack.mjs';

const TIME_LIMIT = 1_800_000; // against hangs: what is compiled takes a minute or two
const TOOLS =
  'sh basename cat chmod cp date dirname echo env expr false head id ln ls mkdir mktemp mv pwd readlink realpath rm rmdir sed sleep sort tail test touch tr true uname wc'.split(
    ' ',
  );

const help = `usage: node tools/pack/check.mjs [--node MAJOR]... [--no-build]

Installs the tarballs in dist-packages/ (npm run pack) into an empty folder with each Node (${nodes.join(', ')}), and uses them there.

  --no-build  not what there is to do where no native half fits, which takes longer than all else
`;

class Failure extends Error {}

/** npm's own program, whichever way it is started. */
function npmFolder() {
  const { stdout } = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' });
  const folders = [
    join(stdout.trim(), 'npm'),
    join(realpathSync(process.execPath), '..', '..', 'lib', 'node_modules', 'npm'),
  ];
  const found = folders.find((folder) => existsSync(join(folder, 'bin', 'npm-cli.js')));
  if (found === undefined) throw new Failure(`no npm in ${folders.join(', ')}`);
  return realpathSync(found);
}

/** A folder for PATH: that Node, npm and a shell. */
function makeBin(folder, major, npm) {
  mkdirSync(folder, { recursive: true });
  const link = (to, name) => symlinkSync(to, join(folder, name));
  link(join(nodeFolder(major), 'bin', 'node'), 'node');
  for (const name of ['npm', 'npx']) link(join(npm, 'bin', `${name}-cli.js`), name);
  for (const name of TOOLS) {
    const place = process.env.PATH.split(delimiter).find((one) => existsSync(join(one, name)));
    if (place !== undefined) link(join(place, name), name);
  }
  return folder;
}

/** What a shell of that user has. */
function environment(path) {
  const { HOME, USER, TMPDIR } = process.env;
  const ours = { HOME, USER, TMPDIR, PATH: path, NO_COLOR: '1', npm_config_update_notifier: 'false' };
  // How this machine reaches the registry is no part of what is checked.
  const reach = Object.entries(process.env).filter(([name]) =>
    /^(NODE_EXTRA_CA_CERTS|(https?|no)_proxy|npm_config_(registry|cafile))$/i.test(name),
  );
  return Object.fromEntries([...Object.entries(ours), ...reach].filter(([, value]) => value !== undefined));
}

function attempt({ folder, path }, command, args) {
  return spawnSync(command, args, {
    cwd: folder,
    env: environment(path),
    encoding: 'utf8',
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
  });
}

function must(place, command, args) {
  const ended = attempt(place, command, args);
  if (ended.status !== 0)
    throw new Failure(
      `${command} ${args.join(' ')}: ${ended.signal ?? `exit status ${ended.status}`} ${ended.error?.message ?? ''}\n${ended.stdout}${ended.stderr}`,
    );
  return ended.stdout;
}

function install(place) {
  writeFileSync(join(place.folder, 'package.json'), '{ "name": "installed", "private": true }\n');
  must(place, 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages().map(tarball)]);
  const { dependencies, problems } = JSON.parse(must(place, 'npm', ['ls', '--all', '--json']));
  const found = Object.keys(dependencies).sort();
  const wanted = packages()
    .map(({ name }) => name)
    .sort();
  if (problems !== undefined || found.join() !== wanted.join())
    throw new Failure(`npm ls: ${found.join(', ')} ${(problems ?? []).join('\n')}`);
  const copies = readdirSync(join(place.folder, 'node_modules'), { recursive: true }).filter((file) =>
    file.endsWith('@libcr/core'),
  );
  if (copies.length !== 1) throw new Failure(`several copies of @libcr/core: ${copies.join(', ')}`);
}

/** Each entry of each package, imported and required, gives the same objects. */
const LOAD = `
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
let count = 0;
for (const name of process.argv.slice(2)) {
  const { exports } = JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8'));
  for (const entry of Object.keys(exports).filter((key) => !key.endsWith('.json') && key !== './register')) {
    const specifier = join(name, entry);
    const [imported, required] = count++ % 2 ? [await import(specifier), require(specifier)] : [require(specifier), await import(specifier)].reverse();
    for (const key of Object.keys(imported)) assert.equal(required[key], imported[key], specifier + ': ' + key);
  }
}
const halves = process.report.getReport().sharedObjects.filter((file) => /abi-.*\\.node$/.test(file));
assert.equal(new Set(halves).size, halves.length, halves.join());
console.log(count);
`;

const COMMONJS = `
const { create, run } = require('@libcr/core');
const { sys } = require('@libcr/syscalls');
run(() => create(() => sys.getpid() === process.pid).join()).then(console.log);
`;

function use(place) {
  const write = (name, text) => writeFileSync(join(place.folder, name), text);
  const names = packages().map(({ name }) => name);
  write('load.mjs', LOAD);
  if (Number(must(place, 'node', ['load.mjs', ...names])) < 15)
    throw new Failure('load.mjs: has not found all entries');
  write('old.cjs', COMMONJS);
  if (must(place, 'node', ['old.cjs']) !== 'true\n') throw new Failure('old.cjs: a userthread has not run');
  const doctor = must(place, 'npx', ['lwkt', 'doctor']);
  if (!doctor.includes('@libcr/core')) throw new Failure(`lwkt doctor: ${doctor}`);
  let count = 0;
  for (const name of names) {
    const readme = join(place.folder, 'node_modules', name, 'README.md');
    for (const example of examples(readme)) {
      const file = `example-${++count}.${example.language === 'ts' ? 'mts' : 'mjs'}`;
      write(file, example.text);
      const wrong = fault(
        example,
        example.language === 'ts'
          ? attempt(place, 'npx', ['lwkt', 'run', file])
          : attempt(place, 'node', [file]),
      );
      if (wrong !== undefined) throw new Failure(`${name}/README.md:${example.line}: ${wrong}`);
    }
  }
  const readme = readFileSync(join(place.folder, 'node_modules', '@libcr', 'lwkt', 'README.md'), 'utf8');
  const [, script, text, printed] = /^\$ cat (\S+)\n(.*?)^\$ lwkt run \1\n(.*?)^```$/ms.exec(readme);
  mkdirSync(join(place.folder, script, '..'), { recursive: true });
  write(script, text);
  const hello = must(place, 'npx', ['lwkt', 'run', script]);
  if (hello !== printed) throw new Failure(`lwkt run ${script}: ${hello}`);
  if (count < names.length) throw new Failure(`only ${count} examples in the READMEs`);
}

/** Jest's own folder, with the packages that are installed in place. */
function jest(place, folder) {
  rmSync(join(folder, 'node_modules', '@libcr'), { force: true });
  symlinkSync(join(place.folder, 'node_modules', '@libcr'), join(folder, 'node_modules', '@libcr'));
  must({ ...place, folder }, 'node', [
    join('node_modules', 'jest', 'bin', 'jest.js'),
    '--runInBand',
    '--ci',
    '--watchman=false',
  ]);
}

/** Where no native half fits. */
function buildThere(place) {
  const scope = join(place.folder, 'node_modules', '@libcr');
  for (const name of readdirSync(scope))
    rmSync(join(scope, name, 'prebuilds', 'linux-x64-glibc'), { recursive: true, force: true });
  const { status, stderr } = attempt(place, 'node', ['old.cjs']);
  const [, command] = /^ {2}(npx .*)$/m.exec(stderr) ?? [];
  if (status === 0 || !stderr.includes('ERR_LIBCR_NATIVE') || command === undefined)
    throw new Failure(`no native half, and no word of what to do: ${stderr}`);
  must({ ...place, path: `${place.path}${delimiter}${process.env.PATH}` }, 'sh', ['-c', command]);
  use(place);
}

function check(majors, builds) {
  const npm = npmFolder();
  const home = mkdtempSync(join(tmpdir(), 'libcr-install-'));
  const seconds = [];
  const step = (major, what, work) => {
    const begin = performance.now();
    work();
    seconds.push(
      `${installedVersion(major).padEnd(9)}${what.padEnd(10)}${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s`,
    );
    console.log(seconds.at(-1));
  };
  try {
    const withJest = join(home, 'jest');
    cpSync(join(import.meta.dirname, 'jest'), withJest, {
      recursive: true,
      filter: (file) => !file.endsWith('node_modules'),
    });
    for (const major of majors) {
      const folder = join(home, `node${major}`);
      const place = { folder, path: makeBin(join(home, `bin${major}`), major, npm) };
      mkdirSync(folder);
      step(major, 'install', () => install(place));
      step(major, 'use', () => use(place));
      step(major, 'jest', () => {
        if (!existsSync(join(withJest, 'node_modules')))
          must({ ...place, folder: withJest }, 'npm', [
            'ci',
            '--ignore-scripts',
            '--no-audit',
            '--no-fund',
            '--prefer-offline',
          ]);
        jest(place, withJest);
      });
      if (builds && major === majors.at(-1)) step(major, 'build', () => buildThere(place));
    }
    console.log('the packages can be installed and used');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

try {
  const { values } = parseArgs({
    options: {
      node: { type: 'string', multiple: true, default: nodes },
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) console.log(help);
  else {
    installNodes();
    check(values.node, !values['no-build']);
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
