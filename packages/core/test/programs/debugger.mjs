// biome-ignore-all lint/suspicious/noDebugger: debugger statements are what this is about
// A debugger (the inspector protocol, from a Worker) stops in userthreads and steps over calls that switch to
// others and back. The lines it was seen on are the outcome. See debugger.test.ts.
import { Session } from 'node:inspector';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { create, run, sleep, wait, yieldNow } from '@libcr/core';
import { main, scale } from './check.mjs';

if (!isMainThread) {
  // the debugger: steps or resumes at each stop as the plan says
  const seen = [];
  const session = new Session();
  session.connectToMainThread();
  session.on('Debugger.paused', ({ params }) => {
    const [frame] = params.callFrames;
    seen.push(`${frame.functionName}:${frame.location.lineNumber + 1}`);
    session.post(`Debugger.${workerData.plan[seen.length - 1] ?? 'resume'}`);
  });
  session.post('Debugger.enable', () => parentPort.postMessage('ready'));
  parentPort.on('message', () => {
    session.disconnect();
    parentPort.postMessage(seen);
    parentPort.close();
  });
} else {
  /** Runs fn with a debugger; what fn returned, and where it stopped, as lines relative to the first stop. */
  const debugged = async (plan, fn) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { plan } });
    const message = () =>
      new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await message();
    const value = await fn();
    worker.postMessage('end');
    const seen = await message();
    const first = Number(seen[0]?.split(':')[1]);
    return { value, seen: seen.map((s) => s.replace(/:(\d+)$/, (_, line) => ` +${line - first}`)) };
  };
  const steps = (n, step = 'stepOver') => Array.from({ length: n }, () => step);

  const outOfInner = async () => {
    const inner = () => {
      debugger;
      yieldNow();
      return 1;
    };
    const td = create(function outer() {
      return inner() + 1;
    });
    return [await td.finished, await run(() => 'the next one')];
  };

  main({
    stepOverSwitch: () =>
      debugged(steps(5), async () => {
        const other = create(function theOther() {
          for (let i = 0; i < 50; i++) yieldNow();
        });
        const value = await run(function stepped() {
          debugger;
          yieldNow();
          sleep(2);
          wait(Promise.resolve());
          return 'stepped';
        });
        await other.finished;
        return value;
      }),

    stepThroughMany: () =>
      debugged(steps(40), async () => {
        const tds = Array.from({ length: 5 }, (_, i) =>
          create(function worker() {
            let sum = 0;
            if (i === 0) {
              debugger;
            }
            for (let n = 0; n < 10; n++) {
              sum += n;
              yieldNow();
              sleep(0);
            }
            return sum;
          }),
        );
        return Promise.all(tds.map((td) => td.finished));
      }),

    stepIntoSwitch: () =>
      debugged(steps(100, 'stepInto'), async () => {
        const other = create(() => {
          for (let i = 0; i < 5; i++) yieldNow();
          return 'other';
        });
        const value = await run(function stepped() {
          debugger;
          yieldNow();
          sleep(1);
          return 'stepped';
        });
        return [value, await other.finished];
      }),

    stepOut: () => debugged(['stepOut'], outOfInner),

    stepOutOfThread: () => debugged(steps(10, 'stepOut'), outOfInner),

    breakpointsInAll: () =>
      debugged([], async () => {
        const n = scale(30, 5);
        const tds = Array.from({ length: n }, (_, i) =>
          create(function stops() {
            sleep(i % 3);
            debugger;
            yieldNow();
            return i;
          }),
        );
        const values = await Promise.all(tds.map((td) => td.finished));
        return values.every((v, i) => v === i) && n;
      }),

    pauseInWait: () =>
      debugged([], async () => {
        // the thread with the debugger statement is resumed while others are suspended, again and again
        const td = create(() => {
          for (let i = 0; i < 5; i++) {
            wait(new Promise((resolve) => setTimeout(resolve, 1)));
            debugger;
          }
          return 'ends';
        });
        const others = Array.from({ length: 10 }, () => create(() => sleep(3)));
        await Promise.all(others.map((other) => other.finished));
        return td.finished;
      }),
  });
}
