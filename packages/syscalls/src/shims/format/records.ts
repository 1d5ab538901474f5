/**
 * records.ts: structs that are a few fields, or a set of small numbers: times, limits, usage, names, signals, processors.
 *
 * Not here: how they are read (codec/), and structs that want more than one argument to be understood (structs.ts, messages.ts).
 *
 * Invariant: as structs.ts': bytes are never read past the buffer's end. Where they are too few, the decoder may throw: argument.ts catches
 * it, and shows the bytes.
 */

import { decodeStatfs } from '../../codec/file/statfs.ts';
import { decodeMqAttributes } from '../../codec/ipc/mq.ts';
import { decodeFdSet } from '../../codec/net/fd-sets.ts';
import { decodeCpus } from '../../codec/process/cpus.ts';
import { decodeRlimit } from '../../codec/process/rlimit.ts';
import { decodeRusage } from '../../codec/process/rusage.ts';
import { decodeSchedAttr } from '../../codec/process/sched.ts';
import { decodeSysinfo } from '../../codec/process/sysinfo.ts';
import { decodeTms } from '../../codec/process/tms.ts';
import { decodeUtsname } from '../../codec/process/utsname.ts';
import { decodeWaited } from '../../codec/process/wait.ts';
import { decodeItimerspec, decodeItimerval } from '../../codec/signal/itimer.ts';
import { decodeSiginfo } from '../../codec/signal/siginfo.ts';
import { decodeSigset } from '../../codec/signal/sigset.ts';
import {
  decodeTimespec,
  readTimespec,
  readTimeval,
  type Timespec,
  type Timeval,
} from '../../codec/signal/timespec.ts';
import { flagNames } from './flags.ts';
import { signalName } from './signals.ts';
import { hexadecimal, octal, quote } from './text.ts';

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;

const timespec = ({ sec, nsec }: Timespec): string => `{tv_sec=${sec}, tv_nsec=${nsec}}`;
const timeval = ({ sec, usec }: Timeval): string => `{tv_sec=${sec}, tv_usec=${usec}}`;

function fileTime(time: Timespec): string {
  if (time.nsec === UTIME_NOW) return 'UTIME_NOW';
  return time.nsec === UTIME_OMIT ? 'UTIME_OMIT' : timespec(time);
}

/** 20000, 8192*1024, RLIM64_INFINITY */
function limit(value: number): string {
  if (value === Infinity) return 'RLIM64_INFINITY';
  return value > 1024 && value % 1024 === 0 ? `${value / 1024}*1024` : String(value);
}

/** The fields that strace shows by default, with "..." for the rest. */
const fields = (prefix: string, values: Record<string, string | number>, more = false): string =>
  `{${Object.entries(values)
    .map(([key, value]) => `${prefix}${key}=${value}`)
    .concat(more ? ['...'] : [])
    .join(', ')}}`;

const set = (list: readonly (string | number)[]): string => `[${list.join(' ')}]`;

function waitStatus(bytes: Buffer): string {
  const { status, exitCode, signal, stopSignal, continued } = decodeWaited(0, bytes, Buffer.alloc(144));
  if (continued) return '[{WIFCONTINUED(s)}]';
  if (exitCode !== undefined) return `[{WIFEXITED(s) && WEXITSTATUS(s) == ${exitCode}}]`;
  if (stopSignal !== undefined) return `[{WIFSTOPPED(s) && WSTOPSIG(s) == ${signalName(stopSignal)}}]`;
  const core = (status & 0x80) === 0 ? '' : ' && WCOREDUMP(s)';
  return `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(signal as number)}${core}}]`;
}

const RECORDS: Readonly<Record<string, (bytes: Buffer, reply: number, args: readonly unknown[]) => string>> =
  {
    timespec: (bytes) => {
      const { sec, nsec } = decodeTimespec(bytes);
      return `{tv_sec=${sec}, tv_nsec=${nsec}}`;
    },
    timeval: (bytes) => timeval(readTimeval(bytes, 0)),
    timespecs: (bytes) => `[${fileTime(readTimespec(bytes, 0))}, ${fileTime(readTimespec(bytes, 16))}]`,
    timevals: (bytes) => `[${timeval(readTimeval(bytes, 0))}, ${timeval(readTimeval(bytes, 16))}]`,
    utimbuf: (bytes) => `{actime=${bytes.readBigInt64LE(0)}, modtime=${bytes.readBigInt64LE(8)}}`,
    itimerspec: (bytes) => {
      const { interval, value } = decodeItimerspec(bytes);
      return `{it_interval=${timespec(interval)}, it_value=${timespec(value)}}`;
    },
    itimerval: (bytes) => {
      const { interval, value } = decodeItimerval(bytes);
      return `{it_interval=${timeval(interval)}, it_value=${timeval(value)}}`;
    },
    tms: (bytes) => fields('tms_', { ...decodeTms(bytes) }),
    offset: (bytes) => `[${bytes.readBigInt64LE(0)}]`,
    openHow: (bytes) => {
      const flags = flagNames('open', bytes.readUInt32LE(0));
      const resolve = flagNames('resolve', bytes.readUInt32LE(16));
      const mode = bytes.readUInt32LE(8);
      return `{flags=${flags}, ${mode === 0 ? '' : `mode=${octal(mode)}, `}resolve=${resolve}}`;
    },
    rlimit: (bytes) => {
      const { soft, hard } = decodeRlimit(bytes);
      return `{rlim_cur=${limit(soft)}, rlim_max=${limit(hard)}}`;
    },
    rusage: (bytes) => {
      const { utime, stime } = decodeRusage(bytes);
      return fields('ru_', { utime: timeval(utime), stime: timeval(stime) }, true);
    },
    utsname: (bytes) => {
      const { sysname, nodename } = decodeUtsname(bytes);
      const text = (value: string): string => quote(Buffer.from(value), 65);
      return fields('', { sysname: text(sysname), nodename: text(nodename) }, true);
    },
    sysinfo: (bytes) => {
      const { uptime, totalram, freeram, procs } = decodeSysinfo(bytes);
      return fields('', { uptime, totalram, freeram, procs }, true);
    },
    statfs: (bytes) => {
      const { type, bsize, blocks, bfree, bavail } = decodeStatfs(bytes);
      return fields('f_', { type: hexadecimal(type), bsize, blocks, bfree, bavail }, true);
    },
    sigset: (bytes) => set(decodeSigset(bytes).map((signal) => signalName(signal).replace(/^SIG/, ''))),
    siginfo: (bytes) => {
      const { signo, code, pid, uid, status } = decodeSiginfo(bytes);
      return fields('si_', { signo: signalName(signo), code, pid, uid, status }, true);
    },
    waitStatus,
    schedParam: (bytes) => `[${bytes.readInt32LE(0)}]`,
    schedAttr: (bytes) => {
      const { policy, flags, nice, priority, runtime, deadline, period } = decodeSchedAttr(bytes);
      const values = { policy: flagNames('sched', policy), flags: hexadecimal(flags), nice, priority };
      return fields('sched_', { ...values, runtime, deadline, period }, true);
    },
    mqAttributes: (bytes) => fields('mq_', { ...decodeMqAttributes(bytes) }),
    idOut: (bytes) => `[${bytes.readUInt32LE(0)}]`,
    intOut: (bytes) => `[${bytes.readInt32LE(0)}]`,
    cpus: (bytes, reply) => set(decodeCpus(bytes, reply > 0 ? reply : bytes.length)),
    fdSet: (bytes, _, args) => set(decodeFdSet(bytes, args[0] as number)),
  };

/** undefined for a format that is not one of these. */
export function record(
  format: string,
  bytes: Buffer,
  reply: number,
  args: readonly unknown[],
): string | undefined {
  return RECORDS[format]?.(bytes, reply, args);
}
