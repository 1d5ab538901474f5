// How a program ends with userthreads about: one ending for each case. See exits.test.ts.
import { Worker } from 'node:worker_threads';
import { create, run, sleep, userthreads, wait, yieldNow } from '@libcr/core';
import { processorsUsed } from './check.mjs';

const never = () => new Promise(() => {});
const say = (text) => process.stdout.write(`${text}\n`);
const keepAlive = () => setTimeout(() => {}, 1e6);

/** Three threads in the middle of JavaScript, one of which yields for ever. */
function background() {
  const options = { daemon: true };
  const guarded = (fn) => () => {
    try {
      fn();
    } finally {
      say('finally of a suspended thread');
    }
  };
  create(
    guarded(() => wait(never())),
    options,
  );
  create(
    guarded(() => [2, 1].sort(() => sleep(1e8))),
    options,
  );
  create(
    guarded(() => {
      for (;;) yieldNow();
    }),
    options,
  );
}

const cases = {
  nothingLeft: () => run(() => sleep(1)),

  empty: () => {},

  exitInThread() {
    background();
    process.on('exit', (code) => say(`exit ${code}`));
    run(() => {
      sleep(5);
      try {
        [2, 1].sort(() => process.exit(5));
      } finally {
        say('finally of the exiting thread');
      }
    });
  },

  exitCodeInThread: () =>
    run(() => {
      sleep(1);
      process.exitCode = 3;
    }),

  exitListener() {
    // whatever an 'exit' listener does on thread0, it can't wait
    run(() => sleep(1));
    process.on('exit', () => {
      create(() => say('never runs'));
      try {
        sleep(1);
      } catch (error) {
        say(error.code);
      }
    });
  },

  beforeExit() {
    // work that a 'beforeExit' listener makes for the loop is done
    let rounds = 0;
    run(() => sleep(1));
    process.on('beforeExit', () => {
      if (++rounds < 3)
        create(() => {
          sleep(1);
          say(`round ${rounds}`);
        });
    });
  },

  uncaught() {
    background();
    setTimeout(() => {
      throw new Error('from a timer');
    }, 5);
  },

  uncaughtHandled() {
    background();
    process.on('uncaughtException', (error) => {
      say(`handled: ${error.message}`);
      setTimeout(() => process.exit(0), 5);
    });
    setTimeout(() => {
      throw new Error('from a timer');
    }, 5);
  },

  threadThrows() {
    create(
      function culprit() {
        sleep(1);
        throw new TypeError('nobody joins me');
      },
      { name: 'the culprit' },
    );
  },

  threadThrowsHandled() {
    process.on('unhandledRejection', (error) => say(`handled: ${error?.message}`));
    create(() => {
      throw new Error('nobody joins me');
    });
    create(() => {
      throw undefined;
    });
  },

  threadThrowsJoined() {
    const bad = create(() => {
      throw new Error('joined');
    });
    create(() => {
      try {
        bad.join();
      } catch (error) {
        say(error.message);
      }
    });
  },

  runRejects: () =>
    run(() => {
      sleep(1);
      throw new RangeError('from run');
    }),

  deadlock() {
    create(
      function waitsForGodot() {
        wait(never());
      },
      { name: 'estragon' },
    );
    const other = create(() => sleep(1), { name: 'finishes' });
    create(() => other.join());
  },

  deadlockOfTwo() {
    const tds = [];
    for (const i of [0, 1])
      tds[i] = create(
        () => {
          sleep(1);
          tds[1 - i].join();
        },
        { name: `thread ${i}` },
      );
  },

  deadlockDaemon: () => {
    create(() => wait(never()), { daemon: true });
  },

  deadlockExitCode() {
    process.exitCode = 9;
    create(() => wait(never()));
  },

  async deadlockInWorker() {
    const worker = new Worker(new URL(import.meta.url), { argv: ['deadlock'], stderr: true });
    worker.on('exit', (code) => say(`worker ${code}`));
    let text = '';
    for await (const data of worker.stderr) text += data;
    say(text.includes('estragon'));
  },

  manyDeadlocked() {
    for (let i = 0; i < 100; i++) create(() => wait(never()));
  },

  sigint() {
    background();
    keepAlive();
    setTimeout(() => say('ready'), 5);
  },

  sigintHandled() {
    let begun = 0;
    const tds = [1, 2, 3].map((i) =>
      create(() => {
        try {
          if (++begun === 3) setTimeout(() => say('ready'), 5);
          if (i === 1) for (;;) yieldNow();
          sleep(1e8);
        } finally {
          say(`finally ${i}`);
        }
      }),
    );
    process.on('SIGINT', async () => {
      for (const td of tds) td.abort('SIGINT');
      await Promise.allSettled(tds.map((td) => td.finished));
      say(`left: ${userthreads().length}`);
    });
  },

  sigintSpin() {
    // computing without end on a userthread: the signal's default action ends it
    setTimeout(() => say('ready'), 1);
    run(() => {
      sleep(20);
      for (;;);
    });
  },

  async terminate() {
    const worker = new Worker(new URL(import.meta.url), { argv: ['workerSuspends'] });
    await new Promise((resolve) => worker.once('message', resolve));
    say(`terminated ${await worker.terminate()}`);
    await run(() => sleep(1));
    say('main goes on');
  },

  async terminateSpin() {
    const worker = new Worker(new URL(import.meta.url), { argv: ['workerSpins'] });
    await new Promise((resolve) => worker.once('message', resolve));
    say(`terminated ${await worker.terminate()}`);
  },

  async workerSuspends() {
    const { parentPort } = await import('node:worker_threads');
    background();
    keepAlive();
    setTimeout(() => parentPort.postMessage('ready'), 5);
  },

  async workerSpins() {
    const { parentPort } = await import('node:worker_threads');
    background();
    run(() => {
      sleep(5);
      parentPort.postMessage('ready');
      for (;;);
    });
  },

  async idle() {
    // threads asleep: the loop sleeps in the kernel
    create(() => sleep(1e8), { daemon: true });
    create(() => wait(never()), { daemon: true });
    await run(() => sleep(50));
    const processors = await processorsUsed(() => new Promise((resolve) => setTimeout(resolve, 1500)));
    say(JSON.stringify({ processors }));
    process.exit(0);
  },

  async topLevelAwait() {
    say(await create(() => wait(Promise.resolve('awaited'))).finished);
  },
};

await cases[process.argv[2]]();
