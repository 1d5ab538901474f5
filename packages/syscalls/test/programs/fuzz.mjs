// Every call with random arguments, good and bad, through sys.raw: errors in plenty, never a crash. Replay: node fuzz.mjs SEED.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';
import { calls } from '../../table/calls.mjs';

const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed ${seed}`);
let state = seed;
const random = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const pick = (list) => list[random(list.length)];

const folder = mkdtempSync(join(tmpdir(), 'libcr-fuzz-'));
process.chdir(folder);
// Paths are relative, and so below this folder: this may run as root.
// Descriptors that random calls may have: never 0 to 2, nor Node's own.
const FIRST = 200;
const LAST = 260;
const buffer = () =>
  pick([Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(16), Buffer.alloc(300), new Float32Array(9)]);
const values = [
  () => FIRST + random(LAST - FIRST),
  () => FIRST + random(LAST - FIRST),
  buffer,
  buffer,
  () => [buffer(), buffer()],
  () => null,
  () => pick(['a', 'b', 'a/b', '.', '', 'x'.repeat(5000), '\0']),
  () => pick([0, 1, 2, 3, 4, 16, 100, -1, 2 ** 31, 2 ** 32, 2 ** 40, -(2 ** 31), 0.5, Number.NaN]),
  () => pick([0n, 1n, 2n ** 63n, -(2n ** 63n)]),
  () => pick([undefined, {}, [], 'text', true, Symbol('s'), () => 0]),
];
// What would stop this program, or the machine's user, rather than find something: waits without end are made short, and what takes a
// descriptor takes one of ours.
const waits = new Set([c.SYS_nanosleep, c.SYS_clock_nanosleep, c.SYS_poll, c.SYS_epoll_wait]);
const sleeps = [c.SYS_nanosleep, c.SYS_clock_nanosleep];
const rows = new Map(calls.map((row) => [row.number, row]));
// Not with random arguments: they would close Node's own descriptors, or change the whole process.
const excluded = new Set([c.SYS_close_range, c.SYS_chroot, c.SYS_sync, c.SYS_syncfs]);
const numbers = Object.entries(c)
  .filter(([name]) => name.startsWith('SYS_'))
  .map(([, number]) => number);
const counts = { results: 0, errnos: 0, misuses: 0 };
const CALLS = 60_000;

await run(() => {
  for (let fd = FIRST; fd < LAST; fd++) {
    const file = sys.open(pick(['f', 'g']), c.O_CREAT | c.O_RDWR | c.O_NONBLOCK);
    sys.dup3(file, fd);
    sys.close(file);
  }
  for (let i = 0; i < CALLS; i++) {
    const number = pick(numbers);
    const args = Array.from({ length: random(7) }, () => pick(values)());
    if (excluded.has(number)) continue;
    rows.get(number).args?.forEach(([, kind], k) => {
      if (kind === 'fd' && (typeof args[k] === 'number' || typeof args[k] === 'bigint'))
        args[k] = FIRST + random(LAST - FIRST);
    });
    if (number === c.SYS_dup2 || number === c.SYS_dup3) args[1] = FIRST + random(LAST - FIRST);
    if (number === c.SYS_fsync && random(50) > 0) continue; // slow, and nothing to find
    if (sleeps.includes(number) && args.some((arg) => ArrayBuffer.isView(arg))) continue;
    if (number === c.SYS_poll) args[2] = 0;
    if (number === c.SYS_epoll_wait) args[3] = 0;
    if ((number === c.SYS_open || number === c.SYS_openat) && random(2)) {
      const flags = number === c.SYS_open ? 1 : 2;
      if (typeof args[flags] === 'number') args[flags] = pick([c.O_RDWR, c.O_CREAT, c.O_PATH, c.O_DIRECTORY]);
    }
    if (number === c.SYS_fcntl && random(2)) args[1] = pick([0, 1, 3, 5, 6, 36, 37, 1032, 4711]);
    if (waits.has(number) && args.length < 3) continue;
    try {
      const r = sys.raw(number, ...args);
      if (r < 0) counts.errnos++;
      else {
        counts.results++;
        const opens = [
          c.SYS_open,
          c.SYS_openat,
          c.SYS_socket,
          c.SYS_dup,
          c.SYS_accept4,
          c.SYS_creat,
          c.SYS_openat2,
          c.SYS_open_by_handle_at,
          c.SYS_memfd_create,
          c.SYS_inotify_init,
          c.SYS_inotify_init1,
          c.SYS_epoll_create,
          c.SYS_epoll_create1,
        ].includes(number);
        if (
          (opens || (number === c.SYS_fcntl && (args[1] === 0 || args[1] === 1030))) &&
          (r < FIRST || r >= LAST)
        )
          sys.close(r);
      }
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError || error.code === 'ERR_INVALID_ARG_VALUE')
        counts.misuses++;
      else throw error;
    }
  }
});
process.chdir('/');
rmSync(folder, { recursive: true, force: true });
console.log(`${CALLS} calls: ${counts.results} results, ${counts.errnos} errnos, ${counts.misuses} misuses`);
process.exit(0); // whatever pipe was made and lost
