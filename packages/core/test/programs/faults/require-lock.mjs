// Modules whose top level waits, required by several threads. See require-lock.test.ts.
import { createRequire } from 'node:module';
import { create, run, sleep } from '@libcr/core';
import { main, thrownBy } from '../check.mjs';

globalThis.sleep = sleep;
const require = createRequire(import.meta.url);
const required = (names) =>
  run(() => {
    const tds = names.map((name) => create(() => thrownBy(() => require(`./require-lock/${name}.cjs`))));
    return tds.map((td) => structuredClone(td.join()));
  });

await main({
  both: () => required(['slow', 'slow', 'slow']),
  circle: () => required(['circle-a', 'circle-b']),
  own: () => required(['circle-a']),
  fails: () => required(['fails', 'fails']),
  missing: () => required(['slow', 'no-such']),
  thread0: async () => {
    const td = create(() => require('./require-lock/slow.cjs'));
    while (td.state !== 'blocked') await new Promise(setImmediate);
    const during = thrownBy(() => require('./require-lock/slow.cjs'));
    await td.finished;
    return { during: during.code ?? during, after: require('./require-lock/slow.cjs') };
  },
});
