/**
 * chaos.mjs: a supervisor whose shims do at random what shims should not: they throw, wait for timers and promises, never answer, are aborted; while processes under it are killed, stopped and signalled
 * at random. node chaos.mjs LAUNCHER PROGRAM SEED DEPTH STEPS RFORKS EXIT. Prints the group of the program's processes, what the program prints, and at the end, as JSON, what is left.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { sleep, wait } from '@libcr/core';
import { Supervisor } from '@libcr/syscalls/supervisor';

const [launcher, program, seed, depth, steps, rforks, onExit] = process.argv.slice(2);

/** Random integers in [0, below). (mulberry32) */
let state = Number(seed) >>> 0;
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % below;
}
process.on('warning', () => {}); // of shims that do not answer

/** Calls that may fail without the program's giving up. */
const LOOSE = ['getppid', 'read', 'write', 'nanosleep', 'clock_nanosleep', 'stat'];
const present = new Set();
const bad = {
  name: 'bad',
  on: LOOSE,
  shim: (next) => (msg) => {
    if (msg.fd !== undefined && msg.fd < 3) return next(msg);
    switch (random(40)) {
      case 0:
        throw new Error('bad');
      case 1:
        msg.td.abort('bad');
        sleep(5);
        return next(msg);
      case 2:
        return next(msg.with({ [msg.name === 'getppid' ? 'none' : 'fd']: 'what is no number' }));
      case 3:
        for (;;) sleep(1e6); // until the limit, a signal, or the end
      case 4:
        return Number.NaN;
      case 5:
        next(msg);
        return next(msg);
      default:
        return next(msg);
    }
  },
};
const slow = {
  name: 'slow',
  on: 'all',
  shim: (next) => (msg) => {
    present.add(msg.td);
    try {
      switch (random(60)) {
        case 0:
          sleep(random(3));
          break;
        case 1:
          wait(after(random(3)));
          break;
        case 2:
          wait(new Promise((resolve) => setImmediate(resolve)));
          break;
      }
      return next(msg);
    } finally {
      present.delete(msg.td);
    }
  },
};
const pass = { name: 'pass', on: 'all', shim: (next) => (msg) => next(msg) };

const supervisor = new Supervisor({ shims: [pass, bad, slow], timeout: 100, onExit });
const child = spawn(
  launcher,
  [`--rforks=${rforks}`, '--script=3,4', '--', program, seed, depth, steps, 'first'],
  { detached: true, stdio: ['ignore', 'inherit', 'inherit', ...supervisor.descriptors] },
);
console.log(`group ${child.pid}`);

function disturb() {
  const all = supervisor.processes.filter(({ pid }) => pid > 0 && pid !== child.pid);
  const one = all[random(all.length || 1)];
  const signal = ['SIGKILL', 'SIGUSR1', 'SIGUSR1', 'SIGUSR1'][random(4)];
  try {
    process.kill(-child.pid, 'SIGCONT'); // whose parent has been killed before it could
    if (one !== undefined) process.kill(one.pid, signal);
  } catch {
    // it has ended
  }
  if (present.size > 0 && random(3) === 0) [...present][random(present.size)].abort('at random');
}
let over = false;
(async () => {
  while (!over) {
    disturb();
    await after(random(8));
  }
})();

const [status, signal] = await once(child, 'exit');
while (supervisor.processes.length > 0 || supervisor.stats().busy > 0) await after(2);
const { slots } = supervisor.desk;
const used = [...slots.used()];
const lost = used.filter((slot) => slots.word(slots.at(slot) + 16) === 0);
console.log(
  JSON.stringify({ status, signal, calls: supervisor.stats().calls, used: used.length, lost: lost.length }),
);
await supervisor.end();
over = true;
