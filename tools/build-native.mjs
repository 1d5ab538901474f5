// Builds the native half of one package for one Node, and puts the result into
// PACKAGE/prebuilds/linux-<arch>-<libc>/abi-<process.versions.modules>/<name>.node.
//
//   node tools/build-native.mjs PACKAGE_DIR
//
// The target is the Node that runs this file, or with LIBCR_BUILD_NODE=DIR the one installed in DIR (which has
// bin/node and include/node). Headers are never downloaded: they come from the target's own installation, or from
// npm's `nodedir` setting.
//
// node-gyp knows one object directory only, build/. Each target keeps its own: the one that is not in use waits in
// .cache/native/, and moving it keeps its time stamps, so that going back to a target rebuilds nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');

function fail(message) {
  console.error(`build-native: ${message}`);
  process.exit(1);
}

/** What the Node at path `node` says about itself: `{ version, abi, arch, libc }`. */
function identify(node) {
  const script = `
    process.report.excludeNetwork = true;
    const { glibcVersionRuntime } = process.report.getReport().header;
    const { version, versions, arch } = process;
    console.log(JSON.stringify({ version, abi: versions.modules, arch, libc: glibcVersionRuntime ? 'glibc' : 'musl' }));
  `;
  const env = { ...process.env, NODE_OPTIONS: '' };
  return JSON.parse(execFileSync(node, ['-e', script], { encoding: 'utf8', env }));
}

/** The ABI that the headers in `dir` are for; undefined if there are none. */
function abiOfHeaders(dir) {
  const include = join(dir, 'include', 'node');
  if (!existsSync(join(include, 'node.h'))) return undefined;
  return readFileSync(join(include, 'node_version.h'), 'utf8').match(
    /#define NODE_MODULE_VERSION (\d+)/,
  )?.[1];
}

/** The Node to build for: its program, its headers' directory, and what it says about itself. */
function findTarget() {
  const install = process.env.LIBCR_BUILD_NODE && resolve(process.env.LIBCR_BUILD_NODE);
  const node = install ? join(install, 'bin', 'node') : process.execPath;
  if (!existsSync(node)) fail(`LIBCR_BUILD_NODE=${install} has no bin/node`);
  const about = identify(node);

  const places = install
    ? [install]
    : [process.env.npm_config_nodedir, resolve(dirname(process.execPath), '..')].filter(Boolean);
  const nodedir = places.find((dir) => abiOfHeaders(dir) === about.abi);
  if (!nodedir) {
    const seen = places.map(
      (dir) => `  ${join(dir, 'include/node')}: ABI ${abiOfHeaders(dir) ?? '(no node.h)'}`,
    );
    fail(
      `no headers for Node ${about.version} (ABI ${about.abi}). Looked in\n${seen.join('\n')}\n` +
        `Set LIBCR_BUILD_NODE (or npm_config_nodedir) to a directory that has include/node/node.h of this version.`,
    );
  }
  return { ...about, node, nodedir: realpathSync(nodedir) };
}

/** Makes build/ the one that belongs to `target`: puts another target's away, takes this one's out again. */
function useBuildDirectory(packageDir, target) {
  const build = join(packageDir, 'build');
  const parked = join(packageDir, '.cache', 'native');
  const stamp = join(build, 'target.txt');
  const place = createHash('sha256').update(target.nodedir).digest('hex').slice(0, 8);
  const key = `${target.version}-abi${target.abi}-${target.arch}-${place}`;

  const present = existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined;
  if (present === key) return build;
  if (present) {
    mkdirSync(parked, { recursive: true });
    rmSync(join(parked, present), { recursive: true, force: true });
    renameSync(build, join(parked, present));
  } else {
    rmSync(build, { recursive: true, force: true }); // not made by us: nobody knows for which Node
  }
  if (existsSync(join(parked, key))) renameSync(join(parked, key), build);
  mkdirSync(build, { recursive: true });
  writeFileSync(stamp, key);
  return build;
}

/** The words of a variable of a target's makefile, as gyp has written it: NAME := \, and a word or two in each line. */
function variable(makefile, name) {
  const [, lines] = makefile.match(new RegExp(`^${name} := ?\\\\\n((?:\\t.*\n)*)`, 'm')) ?? [];
  if (lines === undefined) fail(`no ${name} in the makefile that node-gyp has made`);
  return lines
    .split(/[\s\\]+/)
    .filter(Boolean)
    .map((word) => word.replace(/^'(.*)'$/, '$1').replace('$(srcdir)', '..'));
}

/**
 * Compiles native/node/precompiled.h, where a package has one, with the flags that node-gyp has chosen. Returns what every C++ file is to be compiled with
 * besides. A compiler that can't use the result reads the header instead.
 */
function precompile(packageDir, build, name) {
  const header = join(packageDir, 'native', 'node', 'precompiled.h');
  if (!existsSync(header)) return '';
  const makefile = readFileSync(join(build, `${name}.target.mk`), 'utf8');
  const words = ['DEFS', 'CFLAGS', 'CFLAGS_CC', 'INCS'].flatMap((kind) =>
    variable(makefile, `${kind}_Release`),
  );
  const compiler = process.env.CXX || 'g++';
  const ours = (process.env.CXXFLAGS ?? '').split(/\s+/).filter(Boolean);
  const place = join(build, 'precompiled', 'precompiled.h');
  const command = [...words, ...ours, '-x', 'c++-header', header, '-o', `${place}.gch`];
  const made = JSON.stringify([compiler, command, readFileSync(header, 'utf8')]);
  const stamp = `${place}.json`;

  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== made) {
    mkdirSync(dirname(place), { recursive: true });
    copyFileSync(header, place);
    const { status, error } = spawnSync(compiler, command, { cwd: build, stdio: 'inherit' });
    if (status !== 0)
      fail(`${compiler} could not compile ${header} (${error?.message ?? `exit status ${status}`})`);
    writeFileSync(stamp, made);
  }
  return `-include ${place}`;
}

/** Runs node-gyp with nothing from npm's settings: in the environment they would win over these arguments. */
function runNodeGyp(packageDir, target, flags, ...args) {
  const settings = /^npm_(config|package_config_node_gyp)_/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.test(name)));
  if (flags) env.CXXFLAGS = `${env.CXXFLAGS ?? ''} ${flags}`;
  env.PATH = `${dirname(target.node)}${delimiter}${env.PATH}`; // `node` in a binding.gyp's commands is the target, too
  const command = [
    nodeGyp,
    ...args,
    `--nodedir=${target.nodedir}`,
    `--arch=${target.arch}`,
    '--loglevel=warn',
  ];
  const { status, signal } = spawnSync(process.execPath, command, { cwd: packageDir, stdio: 'inherit', env });
  if (status !== 0) fail(`node-gyp ${args[0]} failed (${signal ?? `exit status ${status}`})`);
}

/** Copies what changed, by rename, so that a process that has the old file mapped keeps it. */
function install(from, to) {
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return;
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

/** Runs this very command again under a lock on the package, so that two builds at a time wait for each other. */
function underLock(packageDir) {
  const cache = join(packageDir, '.cache');
  mkdirSync(cache, { recursive: true });
  const command = [
    join(cache, 'build-native.lock'),
    process.execPath,
    fileURLToPath(import.meta.url),
    packageDir,
  ];
  const env = { ...process.env, LIBCR_BUILD_LOCKED: packageDir };
  const { status, error } = spawnSync('flock', command, { stdio: 'inherit', env });
  if (error) fail(`flock (util-linux): ${error.message}`);
  process.exit(status ?? 1);
}

if (process.argv.length !== 3) fail('usage: node tools/build-native.mjs PACKAGE_DIR');
const packageDir = resolve(process.argv[2]);
if (!existsSync(join(packageDir, 'package.json'))) fail(`${packageDir} is not a package`);

if (!existsSync(join(packageDir, 'binding.gyp'))) {
  const native = join(packageDir, 'native');
  const files = existsSync(native) ? readdirSync(native, { recursive: true }) : [];
  const source = files.find((file) => /\.(c|cc|cpp|S|s)$/.test(file));
  if (source) fail(`${packageDir} has native/${source}, but no binding.gyp to build it with`);
  console.log('build-native: no binding.gyp and no native sources, nothing to build');
  process.exit(0);
}

if (process.env.LIBCR_BUILD_LOCKED !== packageDir) underLock(packageDir);

const target = findTarget();
const build = useBuildDirectory(packageDir, target);
// Configuring takes part of a second, and make compares command lines: so always, rather than guess when it's due.
runNodeGyp(packageDir, target, '', 'configure');
const name = basename(packageDir);
runNodeGyp(packageDir, target, precompile(packageDir, build, name), 'build', '--jobs=max');

const out = join(packageDir, 'prebuilds', `linux-${target.arch}-${target.libc}`, `abi-${target.abi}`);
const release = join(build, 'Release');
mkdirSync(out, { recursive: true });
for (const file of readdirSync(release).filter((entry) => entry.endsWith('.node'))) {
  install(join(release, file), join(out, file));
  console.log(`build-native: ${relative(packageDir, join(out, file))} for Node ${target.version}`);
}
