/** processes.ts: conformance of processes, signals, users, limits and namespaces. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { constants as c, sys } from '../../src/index.ts';
import { BAD, type Cases, type Place, raw } from './case.ts';

const NOBODY = 2 ** 22 + 1; // above the largest pid
/** A field of /proc/self/stat, by proc(5)'s number. */
const stat = (field: number): number =>
  Number(
    fs
      .readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /, 'x x ')
      .split(' ')[field - 1],
  );
/** A limit as prlimit's own command, the shell's ulimit, tells it. */
const ulimit = (option: string): number => {
  const { stdout } = spawnSync('sh', ['-c', `ulimit ${option}`], { encoding: 'utf8' });
  return stdout.trim() === 'unlimited' ? Infinity : Number(stdout);
};
const self = (p: Place): number => p.keep(sys.pidfd_open(process.pid));
const ids = (id: number | undefined, effective: number | undefined): object => ({
  real: id,
  effective,
  saved: effective,
});
const capabilities = (): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x20080522); // version 3
  return header;
};

/** A child that Node does not know: its parent has gone, and this process takes those over. */
function orphan(script: string): number {
  raw('prctl', c.PR_SET_CHILD_SUBREAPER, 1, null, null, null);
  const parent = `sh -c '${script}' >/dev/null 2>&1 & echo $!`;
  return Number(spawnSync('sh', ['-c', parent], { encoding: 'utf8' }).stdout);
}

export const processes: Cases = {
  getpid: { works: () => [sys.getpid(), process.pid] },
  getppid: { works: () => [sys.getppid(), process.ppid] },
  gettid: { works: () => [fs.existsSync(`/proc/self/task/${sys.gettid()}`), true] },
  getpgid: { works: () => [sys.getpgid(), stat(5)], fails: { ESRCH: () => sys.getpgid(NOBODY) } },
  getpgrp: { works: () => [sys.getpgrp(), stat(5)] },
  setpgid: {
    works: () => [sys.setpgid(process.pid, sys.getpgid()), undefined],
    fails: { EINVAL: () => sys.setpgid(0, -1), ESRCH: () => sys.setpgid(NOBODY, 0) },
  },
  getsid: { works: () => [sys.getsid(), stat(6)], fails: { ESRCH: () => sys.getsid(NOBODY) } },
  setsid: {
    why: 'would take the tests away from their terminal; a process that leads its group may not',
    fails: { ERR_INVALID_ARG_VALUE: () => raw('setsid', 1, 2, 3, 4, 5, 6, 7) },
  },
  kill: {
    works: () => [sys.kill(process.pid, 0), undefined],
    fails: { ESRCH: () => sys.kill(NOBODY, 0), EINVAL: () => sys.kill(process.pid, 99) },
  },
  tkill: {
    works: () => [sys.tkill(process.pid, 0), undefined],
    fails: { ESRCH: () => sys.tkill(NOBODY, 0), EINVAL: () => sys.tkill(-1, 0) },
  },
  tgkill: {
    works: () => [sys.tgkill(process.pid, process.pid, 0), undefined],
    fails: { ESRCH: () => sys.tgkill(process.pid, NOBODY, 0), EINVAL: () => sys.tgkill(0, 0, 0) },
  },
  wait4: {
    works: () => {
      const pid = orphan('sleep 0.05; exit 7');
      const { pid: waited, exitCode, signal, rusage } = sys.wait4(pid);
      return [
        [waited, exitCode, signal, rusage.maxrss > 0],
        [pid, 7, undefined, true],
      ];
    },
    fails: { ECHILD: () => sys.wait4(NOBODY), EINVAL: () => sys.wait4(-1, 0x100) },
  },
  waitid: {
    works: () => {
      const pid = orphan('sleep 0.05; kill -TERM $$');
      const info = sys.waitid(c.P_PID, pid, c.WEXITED);
      return [
        [info.signo, info.pid, info.status],
        [c.SIGCHLD, pid, c.SIGTERM],
      ];
    },
    fails: {
      ECHILD: () => sys.waitid(c.P_PID, NOBODY, c.WEXITED),
      EINVAL: () => sys.waitid(99, 0, c.WEXITED),
      EBADF: () => sys.waitid(c.P_PIDFD, BAD, c.WEXITED),
    },
  },
  pidfd_open: {
    works: (p) => [fs.readlinkSync(`/proc/self/fd/${self(p)}`).includes('pidfd'), true],
    fails: { ESRCH: () => sys.pidfd_open(NOBODY), EINVAL: () => sys.pidfd_open(0) },
  },
  pidfd_send_signal: {
    works: (p) => [sys.pidfd_send_signal(self(p), 0), undefined],
    fails: { EBADF: () => sys.pidfd_send_signal(BAD, 0), EINVAL: (p) => sys.pidfd_send_signal(self(p), 99) },
  },
  pidfd_getfd: {
    works: (p) => [
      sys.fstat(p.keep(sys.pidfd_getfd(self(p), p.open()))).ino,
      fs.statSync(p.at('file'), { bigint: true }).ino,
    ],
    fails: { EBADF: (p) => sys.pidfd_getfd(self(p), BAD), EINVAL: (p) => sys.pidfd_getfd(self(p), 0, 1) },
  },
  process_mrelease: {
    why: 'wants a process that is being killed',
    fails: { EINVAL: (p) => sys.process_mrelease(self(p)), EBADF: () => sys.process_mrelease(BAD) },
  },
  prctl: {
    works: () => {
      const name = Buffer.alloc(16);
      raw('prctl', c.PR_GET_NAME, name, null, null, null);
      return [
        name.toString('utf8', 0, name.indexOf(0)),
        fs.readFileSync(`/proc/self/task/${sys.gettid()}/comm`, 'utf8').trim(),
      ];
    },
    fails: {
      EINVAL: () => raw('prctl', 22, 0, null, null, null),
      ERR_OUT_OF_RANGE: () => raw('prctl', c.PR_GET_NAME, Buffer.alloc(15), null, null, null),
    },
  },
  get_robust_list: {
    works: () => [raw('get_robust_list', 0, Buffer.alloc(8), Buffer.alloc(8)), 0],
    fails: { ESRCH: () => raw('get_robust_list', NOBODY, Buffer.alloc(8), Buffer.alloc(8)) },
  },
  rt_sigpending: {
    works: () => [sys.rt_sigpending(), []],
    fails: { EINVAL: () => raw('rt_sigpending', Buffer.alloc(16), 9) },
  },
  rt_sigqueueinfo: {
    works: () => {
      const info = Buffer.alloc(128);
      info.writeInt32LE(-1, 8); // SI_QUEUE
      return [raw('rt_sigqueueinfo', process.pid, 0, info), 0];
    },
    fails: {
      ESRCH: () => raw('rt_sigqueueinfo', NOBODY, 0, Buffer.alloc(128, 0xff)),
      ERR_OUT_OF_RANGE: () => raw('rt_sigqueueinfo', 1, 0, Buffer.alloc(127)),
    },
  },
  rt_tgsigqueueinfo: {
    works: () => [raw('rt_tgsigqueueinfo', process.pid, process.pid, 0, Buffer.alloc(128, 0xff)), 0],
    fails: { EINVAL: () => raw('rt_tgsigqueueinfo', 0, 0, 0, Buffer.alloc(128)) },
  },
  getuid: { works: () => [sys.getuid(), process.getuid?.()] },
  geteuid: { works: () => [sys.geteuid(), process.geteuid?.()] },
  getgid: { works: () => [sys.getgid(), process.getgid?.()] },
  getegid: { works: () => [sys.getegid(), process.getegid?.()] },
  getresuid: { works: () => [sys.getresuid(), ids(process.getuid?.(), process.geteuid?.())] },
  getresgid: { works: () => [sys.getresgid(), ids(process.getgid?.(), process.getegid?.())] },
  getgroups: {
    works: () => [new Set([...sys.getgroups(), process.getegid?.()]), new Set(process.getgroups?.())],
    fails: {
      ERR_OUT_OF_RANGE: () => sys.getgroups(-1),
      ERR_INVALID_ARG_TYPE: () => raw('getgroups', 1, null),
    },
  },
  setfsuid: { works: () => [raw('setfsuid', -1), process.geteuid?.()] },
  setfsgid: { works: () => [raw('setfsgid', -1), process.getegid?.()] },
  capget: {
    works: () => {
      const data = Buffer.alloc(24);
      raw('capget', capabilities(), data);
      const effective = (BigInt(data.readUInt32LE(12)) << 32n) | BigInt(data.readUInt32LE(0));
      const theirs = fs.readFileSync('/proc/self/status', 'utf8').match(/CapEff:\s+(\w+)/)?.[1];
      return [effective, BigInt(`0x${theirs}`)];
    },
    fails: { EINVAL: () => raw('capget', Buffer.alloc(8), Buffer.alloc(24)) },
  },
  capset: {
    works: () => {
      const data = Buffer.alloc(24);
      raw('capget', capabilities(), data);
      return [raw('capset', capabilities(), data), 0];
    },
    fails: { EINVAL: () => raw('capset', Buffer.alloc(8), Buffer.alloc(24)) },
  },
  getrlimit: {
    works: () => [sys.getrlimit(c.RLIMIT_NOFILE), { soft: ulimit('-Sn'), hard: ulimit('-Hn') }],
    fails: { EINVAL: () => sys.getrlimit(99) },
  },
  setrlimit: {
    works: () => [sys.setrlimit(c.RLIMIT_NOFILE, sys.getrlimit(c.RLIMIT_NOFILE)), undefined],
    fails: {
      EINVAL: () => sys.setrlimit(c.RLIMIT_NOFILE, { soft: 2, hard: 1 }),
      ERR_OUT_OF_RANGE: () => sys.setrlimit(c.RLIMIT_NOFILE, { soft: -1, hard: 1 }),
    },
  },
  prlimit64: {
    works: () => [sys.prlimit64(0, c.RLIMIT_CORE), { soft: ulimit('-Sc'), hard: ulimit('-Hc') }],
    fails: { EINVAL: () => sys.prlimit64(0, 99), ESRCH: () => sys.prlimit64(NOBODY, 0) },
  },
  getrusage: {
    works: () => {
      const before = process.resourceUsage().userCPUTime;
      const { utime } = sys.getrusage(c.RUSAGE_SELF);
      return [utime.sec * 1e6 + utime.usec >= before, true];
    },
    fails: { EINVAL: () => sys.getrusage(99) },
  },
  unshare: { works: () => [raw('unshare', 0), 0], fails: { EINVAL: () => raw('unshare', 1) } },
  setns: {
    why: 'would change what the kernel thread sees',
    fails: { EBADF: () => raw('setns', BAD, 0), EINVAL: (p) => raw('setns', p.open(), 0) },
  },
  listns: {
    why: 'newer than the kernels that it is tested on',
    fails: { ERR_OUT_OF_RANGE: () => raw('listns', Buffer.alloc(8), Buffer.alloc(8), 1, 0) },
  },
};
