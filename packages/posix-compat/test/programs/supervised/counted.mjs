/**
 * counted.mjs: one supervisor, under which a program makes calls through three shims, ROUNDS times: node --expose-gc counted.mjs LAUNCHER PROGRAM ROUNDS THREADS CALLS.
 * Prints, as JSON, what each shim has counted, what the program says each time, and what the supervisor has after each round, when garbage has been collected.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { sleep, stats } from '@libcr/core';
import { Supervisor } from '@libcr/syscalls/supervisor';

const [launcher, program, rounds, threads, calls] = process.argv.slice(2);
const ON = ['pwrite64', 'pread64', 'getppid', 'lseek'];
const counts = [0, 0, 0];
const shim = (i, work) => ({
  name: `shim ${i}`,
  on: ON,
  shim: (next) => (msg) => {
    counts[i]++;
    return work(next, msg);
  },
});
const supervisor = new Supervisor({
  shims: [
    shim(0, (next, msg) => next(msg)),
    shim(1, (next, msg) => {
      if (counts[1] % 997 === 0) sleep(0);
      return next(msg);
    }),
    shim(2, (next, msg) => {
      const reply = next(msg);
      return msg.name === 'getppid' ? 7 : reply;
    }),
  ],
});

function sample() {
  for (let i = 0; i < 4; i++) gc();
  const { heapUsed, rss, external, arrayBuffers } = process.memoryUsage();
  return {
    heap: heapUsed,
    rss,
    external: external + arrayBuffers,
    descriptors: readdirSync('/proc/self/fd').length,
    userthreads: supervisor.stats().userthreads,
    all: stats().alive,
    used: [...supervisor.desk.slots.used()].length,
    busy: supervisor.stats().busy,
    processes: supervisor.processes.length,
  };
}

const said = [];
const samples = [];
for (let i = 0; i < rounds; i++) {
  const child = spawn(launcher, ['--rforks=2', '--script=3,4', '--', program, threads, calls], {
    stdio: ['ignore', 'pipe', 'inherit', ...supervisor.descriptors],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  said.push(output);
  while (supervisor.processes.length > 0) await after(1);
  samples.push(sample());
}
console.log(JSON.stringify({ counts, calls: supervisor.stats().calls, said, samples, stats: stats() }));
supervisor.close();
