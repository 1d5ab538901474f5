/** scheduling.ts: conformance of how the kernel schedules its threads. */
import os from 'node:os';
import { constants as c, sys } from '../../src/index.ts';
import { type Cases, raw } from './case.ts';

const NOBODY = 2 ** 22 + 1;

export const scheduling: Cases = {
  sched_yield: { works: () => [sys.sched_yield(), undefined] },
  sched_setparam: {
    works: () => [sys.sched_setparam(0, 0), undefined],
    fails: { EINVAL: () => sys.sched_setparam(0, 50), ESRCH: () => sys.sched_setparam(NOBODY, 0) },
  },
  sched_getparam: {
    works: () => [sys.sched_getparam(0), 0],
    fails: { EINVAL: () => sys.sched_getparam(-1), ESRCH: () => sys.sched_getparam(NOBODY) },
  },
  sched_setscheduler: {
    works: () => [sys.sched_setscheduler(0, c.SCHED_OTHER, 0), undefined],
    fails: {
      EINVAL: () => sys.sched_setscheduler(0, c.SCHED_OTHER, 1),
      ESRCH: () => sys.sched_setscheduler(NOBODY, 0, 0),
    },
  },
  sched_getscheduler: {
    works: () => [sys.sched_getscheduler(), c.SCHED_OTHER],
    fails: { ESRCH: () => sys.sched_getscheduler(NOBODY) },
  },
  sched_get_priority_max: {
    works: () => [sys.sched_get_priority_max(c.SCHED_FIFO), 99],
    fails: { EINVAL: () => sys.sched_get_priority_max(99) },
  },
  sched_get_priority_min: {
    works: () => [sys.sched_get_priority_min(c.SCHED_FIFO), 1],
    fails: { EINVAL: () => sys.sched_get_priority_min(99) },
  },
  sched_rr_get_interval: {
    works: () => [sys.sched_rr_get_interval(0).sec, 0],
    fails: { ESRCH: () => sys.sched_rr_get_interval(NOBODY) },
  },
  sched_setaffinity: {
    works: () => [sys.sched_setaffinity(0, sys.sched_getaffinity()), undefined],
    fails: {
      EINVAL: () => sys.sched_setaffinity(0, []),
      ESRCH: () => sys.sched_setaffinity(NOBODY, [0]),
      ERR_OUT_OF_RANGE: () => sys.sched_setaffinity(0, [-1]),
    },
  },
  sched_getaffinity: {
    works: () => [sys.sched_getaffinity().length, os.availableParallelism()],
    fails: { ESRCH: () => sys.sched_getaffinity(NOBODY) },
  },
  sched_setattr: {
    works: () => [sys.sched_setattr(0, { policy: c.SCHED_OTHER, nice: os.getPriority() }), undefined],
    fails: {
      EINVAL: () => sys.sched_setattr(0, { policy: 99 }),
      ESRCH: () => sys.sched_setattr(NOBODY, { policy: 0 }),
    },
  },
  sched_getattr: {
    works: () => [sys.sched_getattr(0).nice, os.getPriority()],
    fails: { EINVAL: () => sys.sched_getattr(0, 1), ESRCH: () => sys.sched_getattr(NOBODY) },
  },
  getcpu: { works: () => [sys.sched_getaffinity().includes(sys.getcpu().cpu), true] },
  getpriority: {
    works: () => [sys.getpriority(c.PRIO_PROCESS, process.pid), os.getPriority()],
    fails: { EINVAL: () => sys.getpriority(99, 0), ESRCH: () => sys.getpriority(0, NOBODY) },
  },
  setpriority: {
    works: () => [sys.setpriority(c.PRIO_PROCESS, process.pid, os.getPriority()), undefined],
    fails: { EINVAL: () => sys.setpriority(99, 0, 0), ESRCH: () => sys.setpriority(0, NOBODY, 0) },
  },
  ioprio_get: {
    works: () => [sys.ioprio_get(c.IOPRIO_WHO_PROCESS, process.pid) >= 0, true],
    fails: { EINVAL: () => sys.ioprio_get(99, 0), ESRCH: () => sys.ioprio_get(1, NOBODY) },
  },
  ioprio_set: {
    works: () => [sys.ioprio_set(c.IOPRIO_WHO_PROCESS, 0, 0), undefined],
    fails: { EINVAL: () => sys.ioprio_set(99, 0, 0), ESRCH: () => sys.ioprio_set(1, NOBODY, 0) },
  },
  set_mempolicy: {
    works: () => [raw('set_mempolicy', 0, null, 0), 0],
    fails: {
      EINVAL: () => raw('set_mempolicy', 99, null, 0),
      ERR_OUT_OF_RANGE: () => raw('set_mempolicy', 2, Buffer.alloc(8), 65),
    },
  },
  get_mempolicy: {
    works: () => [raw('get_mempolicy', Buffer.alloc(4), null, 0, null, 0), 0],
    fails: { EINVAL: () => raw('get_mempolicy', null, null, 0, null, 99) },
  },
};
