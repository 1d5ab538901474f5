#!/usr/bin/env node
/**
 * libcr.mjs: `npx @libcr/core build` builds the native halves of all @libcr packages that are installed here, for the Node that runs it: where that is none that they
 * come with builds of. Nothing runs it by itself.
 *
 * It takes the sources in the packages and node-gyp of npm's, which downloads that Node's headers if they are not beside it. What it builds takes its place in
 * prebuilds/, by rename: a process that has another one mapped keeps it.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const NAMES = ['core', 'syscalls', 'posix-compat', 'signals', 'lwkt'];
const USAGE = `usage: npx @libcr/core build [--force]

Builds the native halves of the @libcr packages that are installed here for Node ${process.version}, where they come
without. A C++ compiler, make and Python 3 are needed.

  --force  also where there is one already
`;

class Failure extends Error {}

/** Of a package that a module at `from` would get; undefined where it has none. */
function folderOf(name, from) {
  try {
    return dirname(realpathSync(createRequire(from).resolve(`@libcr/${name}/package.json`)));
  } catch {
    return undefined;
  }
}

/** Also those that only other @libcr packages see. */
function installed() {
  const folders = new Set();
  const look = (from) => {
    for (const name of NAMES) {
      const folder = folderOf(name, from);
      if (folder === undefined || folders.has(folder)) continue;
      folders.add(folder);
      look(join(folder, 'package.json'));
    }
  };
  look(join(process.cwd(), 'package.json'));
  look(import.meta.filename);
  return [...folders].filter((folder) => existsSync(join(folder, 'native.gyp')));
}

/** Of this Node, if they are there: the folder that has include/node. */
function headers() {
  const beside = join(dirname(realpathSync(process.execPath)), '..');
  return [process.env.npm_config_nodedir, beside].filter(Boolean).find((folder) => {
    const file = join(folder, 'include', 'node', 'node_version.h');
    return (
      existsSync(file) &&
      readFileSync(file, 'utf8').includes(`#define NODE_MODULE_VERSION ${process.versions.modules}\n`)
    );
  });
}

/** npm has one, and tells what it starts where. */
function nodeGyp() {
  const inNpm = ['node_modules', 'node-gyp', 'bin', 'node-gyp.js'];
  const beside = join(dirname(realpathSync(process.execPath)), '..', 'lib', 'node_modules', 'npm', ...inNpm);
  const found = [process.env.npm_config_node_gyp, beside].find((file) => file && existsSync(file));
  if (found === undefined) throw new Failure('there is no node-gyp: start this with npx, which has one');
  return found;
}

function run(command, args, cwd) {
  // npm's settings would win over the arguments, and `node` in a native.gyp's commands is this Node, too.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name)));
  env.PATH = `${dirname(process.execPath)}${delimiter}${env.PATH}`;
  const { status, signal, error } = spawnSync(command, args, { cwd, env, stdio: 'inherit' });
  if (status !== 0)
    throw new Failure(
      `${args[1] ?? command} failed in ${cwd} (${error?.message ?? signal ?? `exit status ${status}`})`,
    );
}

function build(folder, force) {
  const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const place = join(folder, 'prebuilds', 'linux-x64-glibc', `abi-${process.versions.modules}`);
  if (!force && existsSync(place) && readdirSync(place).some((file) => file.endsWith('.node'))) {
    console.log(`${name}: there is one for Node ${process.version} already`);
    return;
  }
  const gyp = join(folder, 'binding.gyp'); // what node-gyp reads. In a package it would make some package managers build at once, so that has it by another name
  const made = !existsSync(gyp);
  if (made) copyFileSync(join(folder, 'native.gyp'), gyp);
  try {
    const nodedir = headers();
    run(
      process.execPath,
      [
        nodeGyp(),
        'rebuild',
        '--jobs=max',
        '--loglevel=warn',
        ...(nodedir === undefined ? [] : [`--nodedir=${nodedir}`]),
      ],
      folder,
    );
    const release = join(folder, 'build', 'Release');
    mkdirSync(place, { recursive: true });
    for (const file of readdirSync(release).filter((entry) => entry.endsWith('.node'))) {
      const to = join(place, file);
      copyFileSync(join(release, file), `${to}.new`);
      spawnSync('strip', ['--strip-unneeded', `${to}.new`]); // it works as well where there is no strip
      renameSync(`${to}.new`, to);
      console.log(`${name}: built ${to}`);
    }
  } finally {
    if (made)
      for (const entry of [gyp, join(folder, 'build')]) rmSync(entry, { recursive: true, force: true });
  }
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) console.log(USAGE);
  else if (positionals.join() !== 'build') throw new Failure(USAGE);
  else {
    if (process.platform !== 'linux' || process.arch !== 'x64')
      throw new Failure('libcr runs on Linux on x86-64 only');
    for (const folder of installed()) build(folder, values.force);
  }
} catch (error) {
  if (!(error instanceof Failure) && !String(error.code).startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(error.message);
  process.exitCode = error instanceof Failure && error.message !== USAGE ? 1 : 2;
}
