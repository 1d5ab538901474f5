// Loads the package by import, by require() and into a context of its own, in the order that begins with argv[2]; each runs a userthread. See entries.test.ts.
import { createRequire } from 'node:module';
import { requireElsewhere } from './elsewhere.mjs';

const require = createRequire(import.meta.url);
const ways = {
  import: () => import('@libcr/core'),
  require: async () => require('@libcr/core'),
  elsewhere: async () => requireElsewhere('@libcr/core'),
};
const [, , first] = process.argv;
const loaded = {};
for (const way of [first, ...Object.keys(ways).filter((name) => name !== first)])
  loaded[way] = await ways[way]();

const runs = [];
await loaded.import.run(() => {
  for (const way of Object.keys(ways)) {
    const td = loaded[way].create(() => {
      loaded[way].yieldNow();
      return way;
    });
    runs.push(td.join());
  }
});
const same = (a, b) => Object.keys(a).length > 20 && Object.keys(a).every((name) => a[name] === b[name]);
console.log(
  JSON.stringify({
    first,
    sameImported: same(loaded.import, loaded.require),
    sameElsewhere: same(loaded.import, loaded.elsewhere),
    otherContext: Object.getPrototypeOf(requireElsewhere('./plain.cjs').list) !== Array.prototype,
    runs,
    natives: process.report.getReport().sharedObjects.filter((file) => file.endsWith('/core.node')).length,
  }),
);
