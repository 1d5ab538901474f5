// A Node that shows its stack of async ids to nobody: stood in for by a native half that finds nothing. See contexts.test.ts.
import { AsyncResource } from 'node:async_hooks';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const needed = process.argv[2] === 'needed';
const path = new URL(
  `../../../prebuilds/linux-x64-glibc/abi-${process.versions.modules}/core.node`,
  import.meta.url,
).pathname;
const directory = mkdtempSync(join(tmpdir(), 'libcr-hidden-'));
process.on('exit', () => rmSync(directory, { recursive: true }));
const half = join(directory, 'core.cjs');
writeFileSync(
  half,
  `const native = require(${JSON.stringify(path)});
   module.exports = Object.assign(native, { objectsWith: () => [], hasContinuation: () => ${!needed} });`,
);
process.env.LIBCR_CORE_NATIVE = half;
process.binding = () => {
  throw new Error('No such module: async_wrap');
};

const { run, sleep } = await import('@libcr/core');
const seen = await run(() => {
  const waits = () => {
    try {
      sleep(1);
      return 'fine';
    } catch (error) {
      return error.code;
    }
  };
  return { inside: new AsyncResource('R').runInAsyncScope(waits), outside: waits() };
});
console.log(JSON.stringify(seen));
