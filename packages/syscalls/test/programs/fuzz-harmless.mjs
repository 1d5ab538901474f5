// What fuzz.mjs may do with calls that random arguments would make harmful: this may run as root.
// Paths are relative everywhere, and so below a folder of its own; what takes a descriptor takes one of its own.

import { constants as c } from '@libcr/syscalls';
import { guarded as zeros } from './guarded.mjs';

const MISSING = 'missing/x';

/** Never made: there is no argument that makes them harmless, or nothing to find. */
export const excluded = {
  setsid: 'leaves the terminal and the process group of the tests',
  sync: 'has no arguments, and waits for all disks',
  syncfs: 'waits for a whole disk',
  vhangup: 'hangs up the terminal',
};

/** Whole argument lists; fuzz.mjs spoils one of them half the time, so that the call is not made at all. */
export const forced = {
  acct: () => [MISSING],
  add_key: () => ['user', 'libcr', null, 0, 0],
  adjtimex: () => [zeros(208)],
  alarm: () => [0],
  capset: () => [zeros(8), zeros(24)], // version 0
  chroot: () => [MISSING],
  clock_adjtime: () => [99, zeros(208)],
  clock_settime: () => [99, zeros(16)],
  close_range: () => [5000, 6000, 0],
  delete_module: () => ['libcr-no-such-module', c.O_NONBLOCK],
  finit_module: () => [-1, '', 0],
  init_module: () => [zeros(4), 4, ''],
  ioprio_set: () => [99, 0, 0],
  kexec_file_load: () => [-1, -1, 0, zeros(1), 0],
  kill: () => [process.pid, 0],
  mlockall: () => [0],
  mount: () => [null, MISSING, null, 0, null],
  mount_setattr: () => [c.AT_FDCWD, MISSING, 0, zeros(32), 32],
  move_mount: () => [c.AT_FDCWD, MISSING, c.AT_FDCWD, MISSING, 0],
  mq_open: () => ['libcr-no-such-queue', 0, 0, null],
  mq_unlink: () => ['libcr-no-such-queue'],
  msgctl: () => [-1, c.IPC_STAT, zeros(120)],
  msgget: () => [0x6c696263, 0],
  msgrcv: () => [-1, zeros(16), 8, 0, c.IPC_NOWAIT],
  msgsnd: () => [-1, zeros(16), 8, c.IPC_NOWAIT],
  open_tree: () => [c.AT_FDCWD, '.', 0],
  pidfd_send_signal: () => [-1, 0, null, 0],
  pivot_root: () => [MISSING, MISSING],
  prctl: () => [c.PR_GET_NAME, zeros(16), null, null, null],
  prlimit64: () => [0, 99, null, zeros(16)],
  process_mrelease: () => [-1, 0],
  reboot: () => [0, 0, 0, null],
  request_key: () => ['user', 'libcr-no-such-key', null, 0],
  rt_sigqueueinfo: () => [process.pid, 0, zeros(128)],
  rt_tgsigqueueinfo: () => [process.pid, process.pid, 0, zeros(128)],
  sched_setaffinity: () => [2 ** 31 - 1, 8, zeros(8)],
  sched_setattr: () => [-1, zeros(64), 0],
  sched_setparam: () => [-1, zeros(4)],
  sched_setscheduler: () => [-1, 0, zeros(4)],
  semctl: () => [-1, 0, c.IPC_STAT, zeros(104)],
  semget: () => [0x6c696263, 1, 0],
  semop: () => [-1, zeros(6), 1],
  semtimedop: () => [-1, zeros(6), 1, zeros(16)],
  setdomainname: () => [zeros(100), 100],
  setfsgid: () => [-1],
  setfsuid: () => [-1],
  sethostname: () => [zeros(100), 100],
  setitimer: () => [99, zeros(32), zeros(32)],
  setns: () => [-1, 0],
  setpgid: () => [-1, 0],
  setpriority: () => [99, 0, 0],
  setrlimit: () => [99, zeros(16)],
  settimeofday: () => [zeros(16).fill(0x7f), null],
  set_mempolicy: () => [0, null, 0],
  shmctl: () => [-1, c.IPC_STAT, zeros(112)],
  shmget: () => [0x6c696263, 0, 0],
  swapoff: () => [MISSING],
  swapon: () => [MISSING, 0],
  syslog: () => [10, null, 0],
  tgkill: () => [process.pid, process.pid, 0],
  timer_create: () => [99, null, zeros(4)],
  tkill: () => [process.pid, 0],
  umount2: () => [MISSING, 0],
  unshare: () => [0],
};

const LENGTH_MAX = 65536;
const small = (value) => (typeof value === 'number' && value > LENGTH_MAX ? LENGTH_MAX : value);
const smallAt =
  (...places) =>
  (args) => {
    for (const i of places) if (typeof args[i] === 'number') args[i] = small(args[i]);
  };
const noWait = (i, flag) => (args) => {
  if (typeof args[i] === 'number') args[i] |= flag;
};
const atOnce = (i, value) => (args) => {
  args[i] = value();
};

/** Random arguments, but for these: nothing is to wait, to be written for hours, or to fill a disk. */
export const tamed = {
  copy_file_range: smallAt(4),
  epoll_pwait: atOnce(3, () => 0),
  epoll_pwait2: atOnce(3, () => zeros(16)),
  epoll_wait: atOnce(3, () => 0),
  fadvise64: smallAt(1, 2),
  fallocate: smallAt(2, 3),
  // F_SETFL: what does not wait is not to begin to.
  fcntl: (args) => {
    if (args[1] === c.F_SETFL) noWait(2, c.O_NONBLOCK)(args);
  },
  flock: noWait(1, c.LOCK_NB),
  poll: atOnce(2, () => 0),
  ppoll: atOnce(2, () => zeros(16)),
  pselect6: atOnce(4, () => zeros(16)),
  readahead: smallAt(1, 2),
  select: atOnce(4, () => zeros(16)),
  sendfile: smallAt(3),
  splice: (args) => {
    smallAt(4)(args);
    noWait(5, c.SPLICE_F_NONBLOCK)(args);
  },
  sync_file_range: smallAt(1, 2),
  tee: (args) => {
    smallAt(2)(args);
    noWait(3, c.SPLICE_F_NONBLOCK)(args);
  },
};

/** Calls whose result is a descriptor. */
export const opening = new Set(
  (
    'open openat openat2 creat socket accept accept4 dup dup2 dup3 epoll_create epoll_create1 eventfd eventfd2 fanotify_init fsmount ' +
    'fsopen fspick inotify_init inotify_init1 landlock_create_ruleset memfd_create memfd_secret mq_open open_by_handle_at open_tree ' +
    'open_tree_attr perf_event_open pidfd_getfd pidfd_open signalfd signalfd4 timerfd_create'
  ).split(' '),
);
