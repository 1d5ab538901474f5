// A supervisor whose environment ends before it: of a Worker that is terminated, and of the process.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Supervisor } from '@libcr/syscalls/supervisor';

const code = `
  const { Supervisor } = await import(${JSON.stringify(import.meta.resolve('@libcr/syscalls/supervisor'))});
  globalThis.kept = [new Supervisor({ shims: [] }), new Supervisor({ shims: [] })];
  const { parentPort } = await import('node:worker_threads');
  parentPort.postMessage('made');
  setInterval(() => {}, 1000);`;
for (let i = 0; i < 3; i++) {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  await once(worker, 'message');
  await worker.terminate();
}
globalThis.kept = new Supervisor({ shims: [] });
for (let i = 0; i < 20; i++) new Supervisor({ shims: [] }).close();
console.log('ended');
