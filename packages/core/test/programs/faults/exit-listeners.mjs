// 'exit' listeners that would wait, on the userthread that has called process.exit(). See exit-listeners.test.ts.
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { create, MsgPort, run, Serializer, sleep, wait, yieldNow } from '@libcr/core';

let begun = false;
let ranAfter = 0;

function program() {
  const waits = {
    sleep: () => sleep(5),
    wait: () => wait(new Promise((resolve) => setTimeout(resolve, 3))),
    timeout: () => wait(new Promise(() => {}), { timeout: 3 }),
    yieldNow: () => yieldNow(),
    join: () => create(() => ranAfter++).join(),
    waitport: () => new MsgPort().waitport(),
    serializer: () => serializer.enter(),
  };
  const serializer = new Serializer('held');
  create(() => {
    serializer.enter();
    for (;;) {
      sleep(1);
      if (begun) ranAfter++;
    }
  });
  setInterval(() => {
    if (begun) ranAfter++;
  }, 1);
  process.on('exit', () => {
    begun = true;
    const seen = {};
    for (const [name, f] of Object.entries(waits))
      try {
        f();
        seen[name] = 'waited';
      } catch (error) {
        seen[name] = error.code;
      }
    const line = JSON.stringify({ seen, ranAfter });
    if (isMainThread) writeSync(1, line);
    else parentPort.postMessage(line);
  });
  process.emit('exit', 0); // by others than Node: the program does not exit, and waits as ever
  begun = false;
  run(() => {
    sleep(10);
    ranAfter = 0;
    process.exit(3);
  });
}

if (process.argv[2] === 'worker' && isMainThread) {
  const lines = [];
  const worker = new Worker(new URL(import.meta.url), { argv: ['worker'] });
  worker.on('message', (line) => lines.push(line));
  worker.on('exit', (code) => {
    writeSync(1, lines.at(-1));
    process.exit(code);
  });
} else program();
