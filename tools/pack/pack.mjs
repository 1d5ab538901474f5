// Packs what is published: every @libcr package as a tarball in dist-packages/, with native halves for each Node in tools/matrix/package.json, and says how large
// they are. docs/releasing.md says what comes before and after.
//
// A native half is packed without its symbols; they stay beside, in dist-packages/debug/, where gdb finds them by the name and checksum that the packed one has
// (.gnu_debuglink). The packages' own folders are left as they are: each is copied first, as npm would pack it.
//
// Invariant: a tarball has a native half for each of the Nodes, and they are of the sources that it has. (--built: who calls has built them)
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { installNodes, nodeFolder, nodes } from '../matrix/nodes.mjs';
import { faults } from './notices.mjs';

const root = join(import.meta.dirname, '..', '..');
const out = join(root, 'dist-packages');
const LIMIT = 2_000_000; // bytes of @libcr/core, unpacked, with the native half for one Node

const help = `usage: npm run pack [-- --built]

Builds all packages, their native halves for Node ${nodes.join(', ')}, and packs them into dist-packages/.

  --built  all of that has been built: only pack
`;

/** Those that are published, in the order in which they can be. */
export function packages() {
  return [
    'packages/core',
    'packages/syscalls',
    'packages/posix-compat',
    'packages/signals',
    'packages/nats',
    'apps/lwkt',
  ].map((folder) => {
    const path = join(root, folder);
    const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    return { name, version, path, isNative: existsSync(join(path, 'native.gyp')) };
  });
}

/** Where a package's tarball is, after pack.mjs. */
export function tarball({ name, version }) {
  return join(out, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
}

function run(command, args, cwd, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status === 0) return;
  console.error(`pack: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

function build() {
  run('npm', ['run', '--silent', 'build'], root);
  for (const node of nodes)
    for (const { path, isNative } of packages())
      if (isNative)
        run(process.execPath, [join(root, 'tools', 'build-native.mjs'), path], root, {
          LIBCR_BUILD_NODE: nodeFolder(node),
        });
}

/** The ABIs that a package is packed with. */
function abis() {
  return nodes.map((node) => {
    const header = readFileSync(join(nodeFolder(node), 'include', 'node', 'node_version.h'), 'utf8');
    return /#define NODE_MODULE_VERSION (\d+)/.exec(header)[1];
  });
}

const isElf = (file) => readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF';

/** The file in two: without symbols, and its symbols. */
function strip(file, symbols) {
  mkdirSync(dirname(symbols), { recursive: true });
  run('objcopy', ['--only-keep-debug', file, symbols], root);
  run('objcopy', ['--strip-unneeded', `--add-gnu-debuglink=${symbols}`, file], root);
  chmodSync(symbols, 0o644);
}

const npm = (args, cwd) =>
  JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...args], { cwd, encoding: 'utf8' }),
  )[0];

/** Copies what npm would pack, of native halves those for the Nodes of the matrix; what is in ELF is stripped. */
function stage({ path, name, isNative }, wanted) {
  const short = basename(name);
  const folder = join(out, 'stage', short);
  for (const { path: file } of npm(['--dry-run'], path).files) {
    const abi = /\/abi-(\d+)\//.exec(file)?.[1];
    if (abi !== undefined && !wanted.includes(abi)) continue;
    const to = join(folder, file);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(path, file), to);
    if (file.startsWith('prebuilds/') && isElf(to)) strip(to, join(out, 'debug', short, `${file}.debug`));
  }
  for (const abi of isNative ? wanted : []) {
    const place = join(folder, 'prebuilds', 'linux-x64-glibc', `abi-${abi}`);
    if (existsSync(place) && readdirSync(place).length > 0) continue;
    console.error(`pack: ${name} has no native half for ABI ${abi}: npm run pack without --built makes it`);
    process.exit(1);
  }
  return folder;
}

/** Bytes, the other Nodes' native halves not counted. */
function sizesOf(files, wanted) {
  return wanted.map((abi) =>
    files
      .filter(({ path }) => !/\/abi-/.test(path) || path.includes(`/abi-${abi}/`))
      .reduce((sum, { size }) => sum + size, 0),
  );
}

function pack() {
  const wanted = abis();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const kB = (bytes) => `${(bytes / 1000).toFixed(0)} kB`.padStart(9);
  console.log(
    `${'package'.padEnd(22)}${'files'.padStart(6)}${'packed'.padStart(9)}${'unpacked'.padStart(9)}  unpacked, with the native half for Node ${nodes.join(', ')} only`,
  );
  for (const each of packages()) {
    const { files, size, unpackedSize, filename } = npm(['--pack-destination', out], stage(each, wanted));
    const sizes = sizesOf(files, wanted);
    const one = each.isNative ? sizes.map(kB).join('') : '';
    console.log(
      `${each.name.padEnd(22)}${String(files.length).padStart(6)}${kB(size)}${kB(unpackedSize)}${one}`,
    );
    if (!statSync(tarball(each), { throwIfNoEntry: false }))
      throw new Error(`npm has packed ${filename}, not ${relative(out, tarball(each))}`);
    if (each.name !== '@libcr/core' || Math.max(...sizes) <= LIMIT) continue;
    console.error(`pack: ${each.name} is larger than ${kB(LIMIT).trim()}`);
    process.exit(1);
  }
  rmSync(join(out, 'stage'), { recursive: true });
  console.log(`in ${relative(process.cwd(), out) || out}; their symbols in debug/ there`);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { built: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) console.log(help);
  else {
    installNodes();
    if (!values.built) build();
    const wrong = faults();
    for (const fault of wrong) console.error(`pack: ${fault}`);
    if (wrong.length > 0) process.exitCode = 1;
    else pack();
  }
}
