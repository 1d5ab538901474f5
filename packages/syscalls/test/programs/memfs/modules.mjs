// modules.mjs: require and import of what is in memory only, under installFs(). Prints JSON. See ../memfs/modules.test.ts.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, run } from '@libcr/core';
import { sys, syscallPort } from '@libcr/syscalls';
import { installFs } from '@libcr/syscalls/fs';
import { memfs, symlink } from '@libcr/syscalls/shims/memfs';
import { overlay } from '@libcr/syscalls/shims/overlay';

const { registerHooks } = nodeModule;
const real = realpathSync(mkdtempSync(join(tmpdir(), 'libcr-modules-')));
writeFileSync(join(real, 'kept.cjs'), 'module.exports = "kept";');
writeFileSync(join(real, 'changed.cjs'), 'module.exports = "old";');
const guard = installFs();
const tree = memfs({
  '/virtual': {
    'a.js': 'exports.name = __filename; exports.b = require("./lib/b"); exports.data = require("./data");',
    'data.json': '{"answer": 42}',
    lib: {
      'b.js': 'exports.dir = __dirname; exports.pkg = require("pkg"); exports.sub = require("pkg/sub/one");',
    },
    'link.js': symlink('a.js'),
    'm.mjs':
      'import { n } from "./n.mjs"; import pkg, { kind } from "pkg"; import d from "./data.json" with { type: "json" };' +
      'export const own = import.meta.url; export { n, kind, d }; export { pkg as whole };' +
      'export const later = (await import("./later.js?x=1")).default; export { hash } from "#internal";',
    'n.mjs': 'export const n = 1;',
    'later.js': 'export default import.meta.url;',
    'throws.js': '\n\nthrow new Error("here");',
    'throws.mjs': 'export function f() {\n  throw new Error("there");\n}',
    'bad.js': 'const x = ;',
    'cjs-in-esm.mjs': 'import b from "./lib/b.js"; export default b;',
    'package.json':
      '{"name": "virtual", "imports": {"#internal": "./hash.mjs"}, "exports": {"./self": "./n.mjs"}}',
    'hash.mjs': 'export const hash = "hash"; export * as self from "virtual/self";',
    typed: { 'package.json': '{"type": "module"}', 'x.js': 'export default typeof require;' },
    'addon.node': 'no',
    node_modules: {
      pkg: {
        'package.json': JSON.stringify({
          exports: {
            '.': { import: './index.mjs', require: './index.cjs' },
            './sub/*': './parts/*.cjs',
            './hidden': null,
          },
        }),
        'index.mjs': 'export const kind = "import"; export default "pkg";',
        'index.cjs': 'module.exports = "required";',
        'parts/one.cjs': 'module.exports = "one";',
        'private.cjs': '',
      },
      plain: { 'package.json': '{"main": "./main"}', 'main.js': 'module.exports = "main";' },
      folder: { 'index.js': 'module.exports = "index";' },
    },
  },
});
const layer = overlay({ lower: real });
layer.writeFile(join(real, 'changed.cjs'), 'module.exports = "new";');
layer.writeFile(join(real, 'added.mjs'), 'export { default } from "./kept.cjs";');
const shims = syscallPort.shim(tree, layer);
const require = createRequire('/virtual/main.js');

const outcome = (fn) => {
  try {
    return fn();
  } catch (error) {
    return error.code ?? `${error.name}: ${error.message}`;
  }
};
const later = async (fn) => {
  try {
    return await fn();
  } catch (error) {
    return error.code ?? `${error.name}: ${error.message}`;
  }
};
const frame = (error) =>
  error.stack
    .split('\n')
    .find((line) => line.includes('/virtual/'))
    ?.trim();

const a = require('/virtual/a.js');
const m = await import('/virtual/m.mjs');
const result = {
  a,
  link: require('./link.js') === a,
  resolved: require.resolve('./lib/b'),
  plain: require('plain'),
  folder: require('folder'),
  hidden: outcome(() => require('pkg/private.cjs')),
  missing: outcome(() => require('./missing')),
  builtin: require('path') === (await import('node:path')).default,
  m: { ...m, self: undefined },
  typed: (await import('/virtual/typed/x.js')).default,
  cjs: (await import('/virtual/cjs-in-esm.mjs')).default.dir,
  missingImport: await later(() => import('/virtual/missing.mjs')),
  noEnding: await later(() => import('/virtual/n')),
  addon: outcome(() => require('./addon.node')),
  bad: outcome(() => require('./bad.js')),
  frames: [
    (() => {
      try {
        require('./throws.js');
      } catch (error) {
        return frame(error);
      }
    })(),
    await import('/virtual/throws.mjs').then(({ f }) => {
      try {
        f();
      } catch (error) {
        return frame(error);
      }
    }),
  ],
  overlay: [
    require(join(real, 'kept.cjs')),
    require(join(real, 'changed.cjs')),
    (await import(join(real, 'added.mjs'))).default,
  ],
};
tree.writeFile('/virtual/late.js', 'module.exports = "late";');
result.late = require('./late');
shims.remove();
result.withoutShims = outcome(() => require('/virtual/never.js'));

// A port of one userthread's own: what it imports stays with its files.
const own = memfs({
  '/own': { 'one.mjs': 'export { two } from "./two.mjs";', 'two.mjs': 'export const two = 2;' },
});
// The thread of hooks of older Nodes asks on the event loop, whose port is the program's.
if (registerHooks !== undefined)
  await run(async () => {
    const port = sys.with(own);
    result.own = await create(async () => (await import('/own/one.mjs')).two, { syscallPort: port }).finished;
  });
result.ownElsewhere = await later(() => import('/own/three.mjs'));
guard.remove();
rmSync(real, { recursive: true });
console.log(JSON.stringify(result));
