// import and require() of @libcr/core in one process give one and the same library. See worker.test.ts.
import { createRequire } from 'node:module';
import * as namespace from '@libcr/core';
import { main } from './check.mjs';

const imported = { ...namespace };

main({
  async importFirst() {
    const warnings = [];
    process.on('warning', (warning) => warnings.push(warning.name));
    const required = createRequire(import.meta.url)('@libcr/core');
    const td = required.create(() => imported.curthread() === td && required.sleep(1) === undefined);
    return {
      names:
        Object.keys(required)
          .filter((name) => name !== '__esModule')
          .sort()
          .join() === Object.keys(imported).sort().join(),
      same: Object.keys(imported).filter((name) => imported[name] !== required[name]),
      thread: await td.finished,
      instance: td instanceof imported.UserThread,
      stats: imported.stats().created === required.stats().created,
      warnings: warnings.filter((name) => name !== 'ExperimentalWarning'),
    };
  },
});
