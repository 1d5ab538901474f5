/** events.ts: conformance of waiting for events, and of descriptors that tell of them. */
import fs from 'node:fs';
import {
  constants as c,
  decodeInotifyEvents,
  decodeSignalfdInfo,
  type PollFd,
  sys,
} from '../../src/index.ts';
import { AT, BAD, type Cases, NONE, type Place, raw } from './case.ts';

/** A pipe with something in it. */
const full = (p: Place): number => {
  const [r, w] = p.pipe();
  sys.write(w, 'x');
  return r;
};
/** A descriptor that is none any more. */
const closed = (p: Place): number => {
  const fd = p.open();
  fs.closeSync(fd);
  return fd;
};
const polled = (p: Place, how: 'poll' | 'ppoll'): unknown => {
  const fds: PollFd[] = [
    { fd: full(p), events: c.POLLIN },
    { fd: -1, events: c.POLLIN },
  ];
  return [sys[how](fds, 1000), fds.map(({ revents }) => revents)];
};
const epoll = (p: Place): number => {
  const e = p.keep(sys.epoll_create1(c.EPOLL_CLOEXEC));
  sys.epoll_ctl(e, c.EPOLL_CTL_ADD, full(p), { events: c.EPOLLIN, data: 2n ** 60n });
  return e;
};
const EVENTS = [{ events: c.EPOLLIN, data: 2n ** 60n }];
const count = (fd: number): bigint => {
  const b = Buffer.alloc(8);
  sys.read(fd, b);
  return b.readBigUInt64LE(0);
};
const inotify = (p: Place): number => p.keep(sys.inotify_init1(c.IN_CLOEXEC));

export const events: Cases = {
  poll: {
    works: (p) => [polled(p, 'poll'), [1, [c.POLLIN, 0]]],
    fails: {
      ERR_INVALID_ARG_TYPE: () => sys.poll([{ fd: 'x' as never, events: 1 }]),
      ERR_OUT_OF_RANGE: () => sys.poll([{ fd: 2 ** 40, events: 1 }]),
    },
  },
  ppoll: {
    works: (p) => [polled(p, 'ppoll'), [1, [c.POLLIN, 0]]],
    fails: {
      EINVAL: () => sys.ppoll([], { sec: 0, nsec: 2e9 }),
      ERR_INVALID_ARG_TYPE: () => raw('ppoll', Buffer.alloc(8), 1, null, Buffer.alloc(8), 8),
    },
  },
  select: {
    works: (p) => {
      const [[r, w], ready] = [p.pipe(), full(p)];
      return [sys.select({ read: [ready, r], write: [w] }, 1000), { read: [ready], write: [w], except: [] }];
    },
    fails: {
      EBADF: (p) => sys.select({ read: [closed(p)] }, 0),
      ERR_OUT_OF_RANGE: () => sys.select({ read: [1024] }),
      EINVAL: () => sys.select({}, { sec: -1, nsec: 0 }),
    },
  },
  pselect6: {
    works: (p) => {
      const ready = full(p);
      return [sys.pselect6({ read: [ready] }, 1000), { read: [ready], write: [], except: [] }];
    },
    fails: {
      EBADF: (p) => sys.pselect6({ write: [closed(p)] }, 0),
      EINVAL: () => sys.pselect6({}, { sec: 0, nsec: 2e9 }),
    },
  },
  epoll_create: {
    works: (p) => [p.keep(sys.epoll_create()) > 2, true],
    fails: { EINVAL: () => sys.epoll_create(0) },
  },
  epoll_create1: {
    works: (p) => [p.keep(sys.epoll_create1()) > 2, true],
    fails: { EINVAL: () => sys.epoll_create1(1) },
  },
  epoll_ctl: {
    works: (p) => [sys.epoll_wait(epoll(p), 1, 0), EVENTS],
    fails: {
      EBADF: (p) => sys.epoll_ctl(epoll(p), c.EPOLL_CTL_ADD, BAD, { events: 1, data: 0 }),
      EPERM: (p) => sys.epoll_ctl(epoll(p), c.EPOLL_CTL_ADD, p.open(), { events: 1, data: 0 }),
      ENOENT: (p) => sys.epoll_ctl(epoll(p), c.EPOLL_CTL_DEL, p.pipe()[0]),
      EINVAL: (p) => sys.epoll_ctl(p.open(), c.EPOLL_CTL_ADD, p.pipe()[0], { events: 1, data: 0 }),
    },
  },
  epoll_wait: {
    works: (p) => [sys.epoll_wait(epoll(p), 4, 1000), EVENTS],
    fails: {
      EBADF: () => sys.epoll_wait(BAD, 1, 0),
      EINVAL: (p) => sys.epoll_wait(p.open(), 1, 0),
      ERR_OUT_OF_RANGE: (p) => sys.epoll_wait(epoll(p), 0),
    },
  },
  epoll_pwait: {
    works: (p) => [sys.epoll_pwait(epoll(p), 4, 1000), EVENTS],
    fails: { EBADF: () => sys.epoll_pwait(BAD, 1, 0) },
  },
  epoll_pwait2: {
    works: (p) => [sys.epoll_pwait2(epoll(p), 4, { sec: 1, nsec: 0 }), EVENTS],
    fails: {
      EBADF: () => sys.epoll_pwait2(BAD, 1, 0),
      EINVAL: (p) => sys.epoll_pwait2(epoll(p), 1, { sec: 0, nsec: 2e9 }),
    },
  },
  inotify_init: { works: (p) => [p.keep(sys.inotify_init()) > 2, true] },
  inotify_init1: { works: (p) => [inotify(p) > 2, true], fails: { EINVAL: () => sys.inotify_init1(1) } },
  inotify_add_watch: {
    works: (p) => {
      const fd = inotify(p);
      const watch = sys.inotify_add_watch(fd, p.folder, c.IN_CREATE | c.IN_DELETE);
      fs.mkdirSync(p.at('d'));
      fs.rmdirSync(p.at('d'));
      const b = Buffer.alloc(1000);
      return [
        decodeInotifyEvents(b, sys.read(fd, b)),
        [c.IN_CREATE, c.IN_DELETE].map((mask) => ({
          watch,
          mask: (mask | c.IN_ISDIR) >>> 0,
          cookie: 0,
          name: 'd',
        })),
      ];
    },
    fails: {
      ENOENT: (p) => sys.inotify_add_watch(inotify(p), NONE, c.IN_OPEN),
      EINVAL: (p) => sys.inotify_add_watch(inotify(p), p.folder, 0),
      EBADF: () => sys.inotify_add_watch(BAD, '/', 1),
    },
  },
  inotify_rm_watch: {
    works: (p) => {
      const fd = inotify(p);
      return [sys.inotify_rm_watch(fd, sys.inotify_add_watch(fd, p.folder, c.IN_OPEN)), undefined];
    },
    fails: { EINVAL: (p) => sys.inotify_rm_watch(inotify(p), 99), EBADF: () => sys.inotify_rm_watch(BAD, 1) },
  },
  fanotify_init: {
    works: (p) => [p.keep(sys.fanotify_init(c.FAN_CLOEXEC)) > 2, true],
    fails: { EINVAL: () => sys.fanotify_init(0x40000000) },
  },
  fanotify_mark: {
    works: (p) => [
      sys.fanotify_mark(p.keep(sys.fanotify_init(c.FAN_CLOEXEC)), c.FAN_MARK_ADD, c.FAN_OPEN, AT, p.file()),
      undefined,
    ],
    fails: {
      EINVAL: (p) => sys.fanotify_mark(p.keep(sys.fanotify_init()), 0, c.FAN_OPEN, AT, p.file()),
      EBADF: () => sys.fanotify_mark(BAD, 1, 1, AT, '/'),
    },
  },
  eventfd: {
    works: (p) => [count(p.keep(sys.eventfd(7))), 7n],
    fails: { ERR_OUT_OF_RANGE: () => sys.eventfd(2 ** 32) },
  },
  eventfd2: {
    works: (p) => [count(p.keep(sys.eventfd2(7, c.EFD_SEMAPHORE))), 1n],
    fails: { EINVAL: () => sys.eventfd2(0, 2) },
  },
  timerfd_create: {
    works: (p) => [p.keep(sys.timerfd_create(c.CLOCK_BOOTTIME)) > 2, true],
    fails: { EINVAL: () => sys.timerfd_create(99) },
  },
  timerfd_settime: {
    works: (p) => {
      const fd = p.keep(sys.timerfd_create(c.CLOCK_MONOTONIC));
      sys.timerfd_settime(fd, 0, { value: 100_000, interval: 200_000 });
      const before = sys.timerfd_settime(fd, 0, { value: 1 });
      return [
        [before.interval, count(fd)],
        [{ sec: 200, nsec: 0 }, 1n],
      ];
    },
    fails: {
      EBADF: () => sys.timerfd_settime(BAD, 0, { value: 1 }),
      EINVAL: (p) => sys.timerfd_settime(p.open(), 0, { value: 1 }),
      ERR_INVALID_ARG_TYPE: () => sys.timerfd_settime(BAD, 0, 1 as never),
    },
  },
  timerfd_gettime: {
    works: (p) => [
      sys.timerfd_gettime(p.keep(sys.timerfd_create(c.CLOCK_MONOTONIC))).value,
      { sec: 0, nsec: 0 },
    ],
    fails: { EBADF: () => sys.timerfd_gettime(BAD), EINVAL: (p) => sys.timerfd_gettime(p.open()) },
  },
  signalfd: {
    works: (p) => [p.keep(sys.signalfd(-1, [c.SIGUSR2])) > 2, true],
    fails: { EBADF: () => sys.signalfd(BAD, []), EINVAL: (p) => sys.signalfd(p.open(), []) },
  },
  signalfd4: {
    works: (p) => [
      [
        p.keep(sys.signalfd4(-1, [c.SIGUSR2], c.SFD_CLOEXEC)) > 2,
        decodeSignalfdInfo(Buffer.alloc(130), 130).length,
      ],
      [true, 1],
    ],
    fails: { EINVAL: () => sys.signalfd4(-1, [], 1), ERR_OUT_OF_RANGE: () => sys.signalfd4(-1, [65]) },
  },
  perf_event_open: {
    works: (p) => {
      const attr = Buffer.alloc(128);
      attr.writeUInt32LE(1, 0); // PERF_TYPE_SOFTWARE
      attr.writeUInt32LE(128, 4);
      return [p.keep(raw('perf_event_open', attr, 0, -1, -1, 0)) > 2, true];
    },
    fails: { ERR_OUT_OF_RANGE: () => raw('perf_event_open', Buffer.alloc(64, 0xff), 0, -1, -1, 0) },
  },
};
