/**
 * conformance.test.ts: every supported call as it succeeds and as it fails, each way that a call can take: straight to the kernel, through a
 * shim that only passes it on, and on a helper thread. LIBCR_SYSCALLS_PATH chooses the way below that (readiness, ring) for the whole
 * run: LIBCR_SYSCALLS_PATH=ring npx vitest run test/conformance
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, curthread, wait } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { rows } from '../../src/generated/rows.ts';
import { defineShim, type Shim, sys } from '../../src/index.ts';
import { RESULT_MIN } from '../../src/port/answers.ts';
import { Offload } from '../../src/port/waits/offload.ts';
import { codeOf, onUserthread } from '../support.ts';
import { attributes } from './attributes.ts';
import { type Cases, errnoFrom, Place } from './case.ts';
import { data } from './data.ts';
import { descriptors } from './descriptors.ts';
import { directories } from './directories.ts';
import { events } from './events.ts';
import { files } from './files.ts';
import { ipc } from './ipc.ts';
import { memory } from './memory.ts';
import { mounts } from './mounts.ts';
import { names } from './names.ts';
import { processes } from './processes.ts';
import { scheduling } from './scheduling.ts';
import { sockets } from './sockets.ts';
import { system } from './system.ts';
import { time } from './time.ts';
import { xattr } from './xattr.ts';

errnoFrom(() => curthread().errno);

const families: Record<string, Cases> = {
  files,
  data,
  directories,
  names,
  attributes,
  xattr,
  descriptors,
  events,
  sockets,
  time,
  processes,
  scheduling,
  memory,
  ipc,
  mounts,
  system,
};

const passThrough = defineShim({ name: 'pass through', on: 'all', shim: (next) => (msg) => next(msg) });

/** A helper thread has descriptors and an identity of its own: what is about those says nothing there. */
const OWN = new Set(
  (
    'close close_range dup2 dup3 fcntl ioctl epoll_ctl gettid tkill sched_getcpu getcpu prctl kcmp sched_setaffinity sched_setattr ' +
    'sched_setparam sched_setscheduler setpriority ioprio_set signalfd signalfd4 capset setfsuid setfsgid unshare setns set_mempolicy ' +
    'get_robust_list flock inotify_add_watch sched_getattr clock_gettime rt_sigpending mincore'
  ).split(' '),
);
/** Classes that native/node/offload.c is never given. */
const NEVER_OFFLOADED = new Set(['sleep', 'sendmsg', 'recvmsg']);

/** Makes each call on a helper thread, whether it needs that or not. */
const helper: Shim = defineShim({
  name: 'helper thread',
  on: rows
    .filter(
      ({ level, block, name }) =>
        level !== 'refused' && level !== 'obsolete' && !NEVER_OFFLOADED.has(block) && !OWN.has(name),
    )
    .map(({ name }) => name),
  shim: (next) => (msg) => {
    const args = Array.from({ length: 6 }, (_, i) => msg.args[i]);
    const job = new Offload(msg.name, { moved: 0, held: -1, number: msg.number, args });
    wait(
      new Promise<void>((resolve) => {
        job.begin(resolve);
        if (job.done) resolve();
      }),
    );
    if (job.result < RESULT_MIN) return next(msg); // misuse is the same everywhere
    expect(job.collect()).toBe(true);
    return job.result;
  },
});

const ways: Record<string, readonly Shim[]> = { direct: [], shim: [passThrough], helper: [helper] };
const below = process.env.LIBCR_SYSCALLS_PATH;

/** Runs fn with a place of its own, on a userthread whose calls go this way. */
function inPlace<T>(shims: readonly Shim[], fn: (place: Place) => T): T {
  const place = new Place(mkdtempSync(join(tmpdir(), 'libcr-conformance-')));
  try {
    return create(() => fn(place), { syscallPort: sys.with(...shims) }).join();
  } finally {
    place.cleanUp();
    rmSync(place.folder, { recursive: true, force: true });
  }
}

for (const [way, shims] of Object.entries(ways)) {
  for (const [family, cases] of Object.entries(families)) {
    describe(`${family}, ${way}${below === undefined ? '' : `, ${below}`}`, () => {
      for (const [name, { works, fails = {} }] of Object.entries(cases)) {
        if (works !== undefined)
          test(
            name,
            onUserthread(() => {
              const [actual, expected] = inPlace(shims, works);
              expect(actual).toEqual(expected);
            }),
          );
        for (const [code, fail] of Object.entries(fails))
          test(
            `${name}: ${code}`,
            onUserthread(() => {
              const failed = inPlace(shims, (place) => codeOf(() => fail(place)));
              expect(failed === 'ENOTSUP' ? 'EOPNOTSUPP' : failed).toBe(code); // libuv's name for it
            }),
          );
      }
    });
  }
}

test('every supported call has a case', () => {
  const all = new Map(Object.values(families).flatMap((cases) => Object.entries(cases)));
  const supported = rows.filter(({ level }) => level === 'full' || level === 'raw');
  expect(supported.filter(({ name }) => !all.has(name)).map(({ name }) => name)).toEqual([]);
  const idle = [...all].filter(([, { works, why, fails }]) => !works && !(why && fails));
  expect(idle.map(([name]) => name)).toEqual([]);
});

test('every error that is provoked is one that the table documents', async () => {
  const { calls } = (await import('../../table/calls.mjs' as string)) as {
    calls: { name: string; errors?: string[] }[];
  };
  const documented = new Map(calls.map(({ name, errors = [] }) => [name, errors]));
  const provoked = Object.values(families).flatMap((cases) =>
    Object.entries(cases).flatMap(([name, { fails = {} }]) =>
      Object.keys(fails).map((code) => [name, code] as const),
    ),
  );
  const errnos = provoked.filter(([, code]) => !code.startsWith('ERR_') && code !== 'ENOSYS');
  expect(errnos.filter(([name, code]) => !documented.get(name)?.includes(code))).toEqual([]);
});

test(
  'every refused call says so, and every obsolete one is ENOSYS',
  onUserthread(() => {
    for (const { name, number, level } of rows) {
      if (level === 'refused') {
        const call = (sys as unknown as Record<string, () => number>)[name] as () => number;
        expect([name, codeOf(() => call())]).toEqual([name, 'ERR_LIBCR_REFUSED']);
      }
      if (level !== 'refused' && level !== 'obsolete') continue;
      expect([name, sys.raw(number), curthread().errno]).toEqual([name, -1, 38]);
    }
  }),
);
