// THIRD-PARTY-NOTICES.md of the packages that have a native half: whose headers have code that is compiled into it, and under which licences. And a look whether
// tsup has bundled what is not the package's own, which no notice is for: dependencies are to be installed by npm.
//
//   node tools/pack/notices.mjs          writes them
//   node tools/pack/notices.mjs --check  fails where they are not current (pack.mjs does so before it packs)
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installNodes, nodeFolder, nodes } from '../matrix/nodes.mjs';

const root = join(import.meta.dirname, '..', '..');

/** From Node's own file of licences: of the part with that heading; without one, of Node itself. */
function ofNode(heading) {
  const text = readFileSync(join(nodeFolder(nodes.at(-1)), 'LICENSE'), 'utf8');
  const part =
    heading === undefined
      ? text.slice(0, text.indexOf('The externally maintained libraries'))
      : text.slice(text.indexOf(`\n- ${heading}, located at`) + 1);
  const quoted = [...part.matchAll(/^ *"""\n(.*?)^ *"""$/gms)].map(([, licence]) =>
    licence.replace(/^ {4}/gm, '').trim(),
  );
  const found = heading === undefined ? quoted.join('\n\n') : quoted[0];
  return found.slice(Math.max(found.search(/^Copyright/m), 0)); // before it V8 lists what is in no header
}

/** Each: whose, which headers it is, the licence. */
const SOURCES = {
  node: () => ['Node.js', /^node(_api|_buffer|_version)?\.h$/, ofNode()],
  v8: () => ['V8', /^v8(-[a-z-]+)?\.h$/, ofNode('V8')],
  uv: () => ['libuv', /^uv\.h$/, ofNode('libuv')],
  napi: () => [
    'node-addon-api',
    /^napi\.h$/,
    readFileSync(join(root, 'node_modules', 'node-addon-api', 'LICENSE.md'), 'utf8').trim(),
  ],
};

/** Of the native half; posix-compat's launcher has none of them. */
const NATIVE = {
  core: ['native/node'],
  syscalls: ['native/node'],
  signals: ['addon'],
  'posix-compat': ['addon'],
};

/** The headers that are included by <NAME>. */
function headers(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => /\.(c|cc|h)$/.test(file));
  const found = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/^#\s*include <([^>]+)>/gm)].map(
      ([, name]) => name,
    ),
  );
  return [...new Set(found)];
}

function notices(name) {
  const used = NATIVE[name].flatMap((folder) => headers(join(root, 'packages', name, folder)));
  const parts = Object.values(SOURCES)
    .map((source) => source())
    .filter(([, isTheirs]) => used.some((header) => isTheirs.test(header)));
  return [
    '# Third-party notices',
    `What is in \`dist/\` and in the sources of @libcr/${name} is this project's. Its native half is compiled with headers of others, and has what those define inline:`,
    ...parts.map(([whose, , licence]) => `## ${whose}\n\n\`\`\`text\n${licence}\n\`\`\``),
  ]
    .join('\n\n')
    .concat('\n');
}

/** What tsup has put into dist/ that is not the package's own. */
function bundled(folder) {
  const dist = join(folder, 'dist');
  const maps = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith('.map'));
  if (maps.length === 0) throw new Error(`${dist} has no source maps to look at: npm run build`);
  return maps.flatMap((file) =>
    JSON.parse(readFileSync(join(dist, file), 'utf8')).sources.filter((source) =>
      /node_modules/.test(source),
    ),
  );
}

/** What is not as it should be. */
export function faults() {
  const wrong = [];
  for (const name of Object.keys(NATIVE)) {
    const file = join(root, 'packages', name, 'THIRD-PARTY-NOTICES.md');
    if (!existsSync(file) || readFileSync(file, 'utf8') !== notices(name))
      wrong.push(`${file} is not current: node tools/pack/notices.mjs writes it`);
  }
  for (const folder of [...Object.keys(NATIVE).map((name) => join('packages', name)), join('apps', 'lwkt')])
    for (const source of bundled(join(root, folder)))
      wrong.push(`${folder}/dist has code of others, which no notice is for: ${source}`);
  return wrong;
}

if (process.argv[1] === import.meta.filename) {
  installNodes();
  if (process.argv[2] !== '--check')
    for (const name of Object.keys(NATIVE))
      writeFileSync(join(root, 'packages', name, 'THIRD-PARTY-NOTICES.md'), notices(name));
  for (const fault of faults()) {
    console.error(fault);
    process.exitCode = 1;
  }
}
