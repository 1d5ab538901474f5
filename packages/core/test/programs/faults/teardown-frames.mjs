// An environment ends while a userthread is suspended inside a function of one of its objects: a database that calls JavaScript. See
// teardown-frames.test.ts.
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { create, wait } from '@libcr/core';
import { main } from '../check.mjs';

const require = createRequire(import.meta.url);
const { ADDON } = process.env;

function waitsForEver() {
  parentPort?.postMessage('suspended');
  wait(new Promise(() => {}));
  return 1;
}

/** sqlite's SELECT f(), where f is a function of JavaScript's that waits for ever; or an addon's that calls such a function. */
function suspendInQuery() {
  if (ADDON !== undefined) {
    const { open, query } = require(ADDON);
    const database = open({});
    return create(() => query(database, waitsForEver), { daemon: true });
  }
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(':memory:');
  database.function('f', waitsForEver);
  const statement = database.prepare('SELECT f() FROM (VALUES (1), (2))');
  return create(() => statement.all(), { daemon: true });
}

if (!isMainThread) {
  const td = suspendInQuery();
  setInterval(() => {}, 1000);
  while (td.state !== 'blocked') await new Promise(setImmediate);
  if (workerData === 'exits') process.exit(3);
} else
  await main({
    terminate: async () => {
      const codes = [];
      for (let i = 0; i < 3; i++) {
        const worker = new Worker(new URL(import.meta.url));
        await new Promise((resolve) => worker.once('message', resolve));
        codes.push(await worker.terminate());
      }
      return codes;
    },
    exits: async () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: 'exits' });
      return new Promise((resolve) => worker.once('exit', resolve));
    },
    /** The main thread ends by itself, as only a daemon is left. */
    main: async () => {
      const td = suspendInQuery();
      while (td.state !== 'blocked') await new Promise(setImmediate);
      return 'ends';
    },
  });
