// Programs that are traced, and what the trace has. Each case prints what trace-events.test.ts looks at.
import { readFileSync } from 'node:fs';
import { create, Msg, MsgPort, Rfork, run, sleep, startTraceEvents, wait, yieldNow } from '@libcr/core';
import { native, RemoteHome } from '@libcr/core/internal';
import { main, rejectionOf, thrownBy } from '../check.mjs';

const file = process.argv[3];
const child = new URL('./trace-events-child.mjs', import.meta.url);

/** Ports, sleeps, a yield, threads that begin before, end during and wait after. */
async function work() {
  const port = new MsgPort('adder');
  const server = create(
    () => {
      for (const msg of port) msg.replymsg(undefined, msg.data + 1);
    },
    { name: 'server' },
  );
  await run(() => {
    for (let i = 0; i < 3; i++) port.domsg(new Msg(i));
    const msg = new Msg(1);
    port.sendmsg(msg);
    yieldNow();
    msg.waitmsg();
    msg.replyPort = undefined;
    port.sendmsg(msg); // the same once more
    sleep(2);
    create(() => sleep(1), { name: 'short' }).join();
    msg.waitmsg();
    wait(new Promise((resolve) => setImmediate(resolve)));
  });
  port.close();
  await server.finished;
}

async function withRforks(end) {
  const echo = new Rfork(child, { name: 'echo', data: { role: 'echo' } });
  const nest = new Rfork(child, { name: 'nest', data: { role: 'starts another' } });
  const pass = new Rfork(child, { name: 'pass', data: { role: 'forwards', to: echo.port } });
  await run(() => {
    for (let i = 0; i < 3; i++) echo.port.domsg(new Msg(i));
    nest.port.domsg(new Msg(1));
    pass.port.domsg(new Msg(1));
  });
  if (end) await end();
  for (const rfork of [nest, pass, echo]) rfork.port.close();
  await Promise.all([nest.finished, pass.finished, echo.finished]);
}

/** All functions that tracing replaces. */
const hooked = () => [
  native.block,
  ...['begin', 'replymsg', 'complete', 'waitmsg'].map((name) => Msg.prototype[name]),
  ...['domsg', 'unqueue', 'receive'].map((name) => MsgPort.prototype[name]),
  RemoteHome.prototype.put,
];

main({
  async local() {
    let over;
    const promise = new Promise((resolve) => {
      over = resolve;
    });
    const waits = create(() => wait(promise), { name: 'before' });
    await new Promise((resolve) => setImmediate(resolve));
    const trace = startTraceEvents();
    setTimeout(over, 20);
    await work();
    await waits.finished;
    const result = await trace.stop();
    return (await trace.stop()) === result && result;
  },

  async toFile() {
    const trace = startTraceEvents({ file });
    await work();
    const { traceEvents } = await trace.stop();
    return JSON.stringify(JSON.parse(readFileSync(file, 'utf8')).traceEvents) === JSON.stringify(traceEvents);
  },

  /** The rforks still run when the trace ends. */
  async rforks() {
    const trace = startTraceEvents();
    let result;
    await withRforks(async () => {
      result = await trace.stop();
    });
    return result;
  },

  async rforksThatHaveEnded() {
    const trace = startTraceEvents();
    await withRforks();
    const exits = new Rfork(child, { name: 'exits', data: { role: 'exits' } });
    await rejectionOf(exits.finished);
    return trace.stop();
  },

  async terminated() {
    const trace = startTraceEvents();
    const rfork = new Rfork(child, { name: 'echo', data: { role: 'echo' } });
    await run(() => rfork.port.domsg(new Msg(1)));
    await rfork.terminate();
    return (await trace.stop()).otherData;
  },

  async exit() {
    startTraceEvents({ file });
    await work();
    await withRforks();
    console.log('{}');
    process.exit(0);
  },

  async end() {
    startTraceEvents({ file });
    await work();
    await withRforks();
  },

  async throws() {
    startTraceEvents({ file });
    await work();
    throw new Error('uncaught');
  },

  async full() {
    const trace = startTraceEvents({ file: '/dev/full' });
    return rejectionOf(trace.stop());
  },

  async lost() {
    const trace = startTraceEvents({ bufferSize: 64 });
    await work();
    return trace.stop();
  },

  async off() {
    const before = hooked();
    const states = [native.traceHooked()];
    let over;
    const promise = new Promise((resolve) => {
      over = resolve;
    });
    const parked = create(() => wait(promise), { name: 'parked' });
    while (parked.state !== 'blocked') await new Promise(setImmediate);
    const trace = startTraceEvents();
    await work();
    states.push(
      native.traceHooked(),
      hooked().every((f, i) => f !== before[i]),
    );
    await trace.stop();
    states.push(
      native.traceHooked(),
      hooked().every((f, i) => f === before[i]),
    );
    over();
    await parked.finished;
    await work();
    states.push(native.traceHooked());
    const again = startTraceEvents();
    await work();
    const { traceEvents } = await again.stop();
    return { states, again: traceEvents.length > 10 };
  },

  async misuse() {
    const trace = startTraceEvents({ file });
    const errors = [
      thrownBy(() => startTraceEvents()),
      thrownBy(() => startTraceEvents(null)),
      thrownBy(() => startTraceEvents({ file: 1 })),
      thrownBy(() => startTraceEvents({ bufferSize: '1' })),
      thrownBy(() => startTraceEvents({ bufferSize: 15 })),
      thrownBy(() => startTraceEvents({ bufferSize: 2 ** 24 + 1 })),
    ];
    await trace.stop();
    errors.push(thrownBy(() => startTraceEvents({ file: `${file}/no/such` })));
    const after = startTraceEvents(); // a bad path has begun nothing
    after[Symbol.dispose]();
    after[Symbol.dispose]();
    return errors;
  },
});
