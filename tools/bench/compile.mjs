// Compilers of what the benchmarks are programs in: C, C++ and Go.
//
// Invariant: the same flags for everything in C and C++, and nothing is built outside of the scratch directory but Go's own build cache.
import { spawnSync } from 'node:child_process';

export const CC = process.env.CC ?? 'gcc';
export const CXX = process.env.CXX ?? 'g++';
const FLAGS = ['-O2', '-Wall', '-Wextra', '-pthread'];
/** Nothing is fetched, not even a newer Go that a file might ask for. */
const OFFLINE = { GO111MODULE: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '' };

export function run(command, args, { cwd, env = {} } = {}) {
  const child = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, ...env } });
  if (child.error) throw child.error;
  if (child.status !== 0) throw new Error(`${command} ${args.join(' ')}:\n${child.stdout}${child.stderr}`);
}

export function exists(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).error === undefined;
}

/** What the source needs and is not there, with its Debian package; undefined: nothing. */
export function missingCompiler(source) {
  const [compiler, deb] = { c: [CC, 'gcc'], cpp: [CXX, 'g++'], go: ['go', 'golang-go'] }[
    source.split('.').at(-1)
  ];
  return exists(compiler, 'version') ? undefined : { missing: compiler, deb };
}

/** Builds `source` as `target`. more: further sources of Go's; link: further arguments of a C or C++ compiler. */
export function compile(source, target, { cwd, more = [], flags = [], link = [] } = {}) {
  if (source.endsWith('.go'))
    return run('go', ['build', '-o', target, source, ...more], { cwd, env: OFFLINE });
  const [compiler, standard] = source.endsWith('.cpp') ? [CXX, '-std=c++17'] : [CC, '-std=gnu11'];
  run(compiler, [standard, ...FLAGS, ...flags, source, '-o', target, ...link], { cwd });
}
