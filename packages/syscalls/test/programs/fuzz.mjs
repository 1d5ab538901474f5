// Every row with random arguments, good and bad, through sys.raw: errors in plenty, never a crash. Replay: node fuzz.mjs SEED [CALLS].
// With "shims" as the third argument through the ready-made shims, none of which may throw because an argument is odd.
// What must not be random is in fuzz-harmless.mjs. Buffers have guard bytes around them, which no call may touch (guarded.mjs).

import { subscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';
import { fault } from '@libcr/syscalls/shims/fault';
import { latency } from '@libcr/syscalls/shims/latency';
import { metrics } from '@libcr/syscalls/shims/metrics';
import { policy } from '@libcr/syscalls/shims/policy';
import { trace } from '@libcr/syscalls/shims/trace';
import { calls, kernelArguments } from '../../table/generate/table.mjs';
import { excluded, forced, opening, tamed } from './fuzz-harmless.mjs';
import { checkGuards, checkTheCheck, guarded, guardedFloats } from './guarded.mjs';

const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 2 ** 31));
const CALLS = Number(process.argv[3] ?? 60_000);
console.log(`seed ${seed}`);
let state = seed;
const random = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const pick = (list) => list[random(list.length)];

const folder = mkdtempSync(join(tmpdir(), 'libcr-fuzz-'));
process.chdir(folder);
// Descriptors that random calls may have: never 0 to 2, nor Node's own.
const FIRST = 200;
const LAST = 260;
const descriptor = () => FIRST + random(LAST - FIRST);

function detached() {
  const { buffer } = new Uint8Array(64);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return view;
}
const buffer = () =>
  pick([
    () => guarded(pick([0, 4, 8, 12, 16, 32, 64, 128, 144, 300, 4096])),
    () => guardedFloats(9),
    detached,
  ])();
const path = () => pick(['a', 'b', 'a/b', '.', '', 'x'.repeat(5000), '\0', Buffer.from('b')]);
const bad = () => pick([undefined, {}, true, Symbol('s'), () => 0, Number.NaN, 0.5, 2n ** 64n, detached()]);
const number = () =>
  pick([0, 1, 2, 3, 4, 16, 100, -1, 2 ** 31, 2 ** 32, 2 ** 40, -(2 ** 31), 2 ** 53, 0n, 1n, -(2n ** 63n)]);
const message = () => [
  pick([null, buffer()]),
  [buffer(), buffer()],
  pick([null, buffer()]),
  pick([guarded(16), buffer()]),
];
const anything = () =>
  pick([
    descriptor,
    buffer,
    path,
    number,
    bad,
    message,
    () => [message()],
    () => [buffer(), buffer()],
    () => null,
    () => [],
  ])();

/** A value that the kind may well take, or anything. */
function valueFor({ native }) {
  const kind = native.replace(/\(.*/, '');
  if (random(4) === 0) return anything();
  if (kind === 'ARG_FD') return pick([descriptor(), descriptor(), descriptor(), c.AT_FDCWD]);
  if (kind.startsWith('ARG_PATH')) return path();
  if (kind.startsWith('ARG_IOV') && !kind.endsWith('COUNT')) return [buffer(), buffer()];
  if (kind.startsWith('ARG_MESSAGES')) return [message(), message()];
  if (kind.startsWith('ARG_MESSAGE')) return message();
  if (kind === 'ARG_NULL') return null;
  if (/INT|LONG|LENGTH$|COUNT$|BITS|CHOICE/.test(kind)) return number();
  return pick([buffer(), buffer(), buffer(), null, 0]);
}

function argumentsFor(row) {
  const make = forced[row.name];
  if (make !== undefined) {
    const args = make();
    // One that no call takes: the kernel is not asked at all.
    if (args.length > 0 && random(2) === 0) args[random(args.length)] = pick([{}, true, Symbol('s'), 0.5]);
    return args;
  }
  const kernel = kernelArguments(row);
  const args = kernel.map(valueFor);
  kernel.forEach(({ native }, i) => {
    const value = args[i];
    if (native !== 'ARG_FD' || typeof value !== 'number' || value === c.AT_FDCWD) return;
    if (value < FIRST || value >= LAST) args[i] = descriptor();
  });
  if (row.name === 'fcntl' && random(2)) args[1] = pick([0, 1, 3, 5, 6, 36, 37, 1032, 4711]);
  if (row.name === 'ioctl')
    args[1] = pick([c.FIONREAD, c.FIGETBSZ, c.FIOCLEX, c.FS_IOC_GETFLAGS, c.TIOCGWINSZ, 4711]);
  if (tamed[row.name] !== undefined) {
    tamed[row.name](args);
    return args;
  }
  return random(20) === 0 ? args.slice(0, random(7)) : args;
}

/** Files, sockets, and what else a descriptor can stand for, none of which waits. */
function fill() {
  for (let fd = FIRST; fd < LAST; fd++) {
    const made = pick([
      () => sys.open(pick(['f', 'g']), c.O_CREAT | c.O_RDWR | c.O_NONBLOCK),
      () => sys.open(pick(['f', 'g']), c.O_CREAT | c.O_RDWR | c.O_NONBLOCK),
      () => sys.open('.', c.O_DIRECTORY),
      () => sys.socket(c.AF_UNIX, pick([c.SOCK_STREAM, c.SOCK_DGRAM]) | c.SOCK_NONBLOCK),
      () => sys.eventfd2(0, c.EFD_NONBLOCK),
      () => sys.timerfd_create(c.CLOCK_MONOTONIC, c.TFD_NONBLOCK),
      () => sys.epoll_create1(),
    ])();
    if (made === fd) continue; // pipes that were made and lost have used up the numbers below
    sys.dup3(made, fd);
    sys.close(made);
  }
}

const MISUSES = new Set([
  'ERR_INVALID_ARG_TYPE',
  'ERR_OUT_OF_RANGE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_INVALID_STATE',
]);
const rare = new Set(['fsync', 'fdatasync', 'sync_file_range', 'fallocate']); // slow, and little to find
checkTheCheck();
const counts = { results: 0, errnos: 0, misuses: 0 };
const reached = new Set();

/** All there are; they change nothing, or nearly. */
const shims = () => [
  metrics(),
  trace({ output: () => {} }),
  policy([
    { action: 'log', path: '/nowhere/**' },
    { action: 'log', address: [':1', '10.0.0.0/8', '/nowhere/*'] },
  ]),
  latency([{ path: '/nowhere/**', ms: 1 }]),
  fault(
    [
      { short: 0.5, probability: 0.5 },
      { path: '/nowhere/**', errno: 'EIO' },
      { fd: FIRST, errno: 'EIO', probability: 0.1 },
    ],
    { seed },
  ),
];
const wrong = [];
subscribe('libcr:syscalls:shim-error', (report) => wrong.push(report));
const syscallPort = process.argv[4] === 'shims' ? sys.with(...shims()) : undefined;

const main = () => {
  const table = calls.filter(({ name }) => !(name in excluded));
  for (let i = 0; i < CALLS; i++) {
    if (i % 2000 === 0) fill();
    const row = pick(table);
    if (rare.has(row.name) && random(20) > 0) continue;
    const args = argumentsFor(row);
    if (process.env.LIBCR_FUZZ_VERBOSE) console.error(i, row.name, args);
    reached.add(row.name);
    try {
      const r = sys.raw(row.number, ...args);
      if (r < 0) counts.errnos++;
      else counts.results++;
      const opens = opening.has(row.name)
        ? row.name !== 'landlock_create_ruleset' || Number(args[2]) === 0 // with flags it answers a number of a version
        : row.name === 'fcntl' && (args[1] === 0 || args[1] === 1030);
      if (opens && r > 2 && (r < FIRST || r >= LAST)) sys.close(r);
    } catch (error) {
      if (!MISUSES.has(error.code)) throw error;
      counts.misuses++;
    }
    const outside = checkGuards();
    if (wrong.length > 0)
      throw new Error(`call ${i}: ${row.name}: ${wrong[0].shim}`, { cause: wrong[0].error });
    if (outside !== undefined) throw new Error(`call ${i}: ${row.name} has written to ${outside}`);
  }
  const missed = table.filter(({ name }) => !reached.has(name)).map(({ name }) => name);
  if (CALLS >= 60_000 && missed.length > 0) throw new Error(`never called: ${missed.join(' ')}`);
};
await run(main, { syscallPort });
process.chdir('/');
rmSync(folder, { recursive: true, force: true });
console.log(`${CALLS} calls: ${counts.results} results, ${counts.errnos} errnos, ${counts.misuses} misuses`);
process.exit(0); // whatever pipe was made and lost
