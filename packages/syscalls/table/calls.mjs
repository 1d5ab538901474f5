/**
 * calls.mjs: the system calls of Linux on x86-64, one row each, by family in calls/*.mjs: the single source of sys.*, sys.promises.*, the
 * marshalling in C, the SYS_ numbers, what the trace shim prints and docs/syscalls.md. After a change: node table/generate.mjs.
 * (CONTRIBUTING.md, "Adding a system call")
 *
 * level says how far a call goes here:
 *   full      sys.NAME, sys.promises.NAME and sys.raw; its results are decoded
 *   raw       sys.raw only: the arguments are checked as they are everywhere, and structs are buffers
 *   refused   makes no sense, or harm, from a userthread of a process with others: reason and alternative say why and what instead.
 *             sys.NAME throws ERR_LIBCR_REFUSED, sys.raw answers ENOSYS; a shim may answer it
 *   obsolete  the kernel has no such call any more, and answers ENOSYS
 *
 * block says how the call may block, which is what native/node/direct/direct.c does about it, and native/src/wait/ for programs, which make refused calls, too:
 *   never    it answers at once, or as soon as a local file system does
 *   read, write, recv, send, recvmsg, sendmsg, accept, connect, open, poll, epoll, select    tried without blocking, then readiness or a
 *            helper thread
 *   lock     fcntl and flock: waiting locks go to a helper thread
 *   splice, wait    tried without blocking, then a helper thread
 *   offload  always on a helper thread: it may wait for others, without end
 *   device   the same, but it waits for a device only: a program's thread makes it in place
 *   signal   it waits for a signal of its own thread's
 *   sleep    a timer of the event loop
 * ring is the operation of io_uring that does the same.
 *
 * args: [name, kind, options]; kinds are in kinds.mjs. options: { default: an expression, flags: a set of constants.mjs,
 * whole: true for a buffer that the kernel fills without answering how much }.
 * errors are those that the manual names, but for EFAULT and the like where marshalling makes them impossible.
 */
import { aio } from './calls/aio.mjs';
import { attributes } from './calls/attributes.mjs';
import { credentials } from './calls/credentials.mjs';
import { data } from './calls/data.mjs';
import { descriptors } from './calls/descriptors.mjs';
import { directories } from './calls/directories.mjs';
import { events } from './calls/events.mjs';
import { files } from './calls/files.mjs';
import { ipc } from './calls/ipc.mjs';
import { limits } from './calls/limits.mjs';
import { memory } from './calls/memory.mjs';
import { mounts } from './calls/mounts.mjs';
import { names } from './calls/names.mjs';
import { namespaces } from './calls/namespaces.mjs';
import { obsolete } from './calls/obsolete.mjs';
import { processes } from './calls/processes.mjs';
import { scheduling } from './calls/scheduling.mjs';
import { security } from './calls/security.mjs';
import { signals } from './calls/signals.mjs';
import { sockets } from './calls/sockets.mjs';
import { system } from './calls/system.mjs';
import { time } from './calls/time.mjs';
import { xattr } from './calls/xattr.mjs';

/** @typedef {{ default?: string, flags?: string, whole?: true }} ArgOptions */
/** @typedef {{ x86_64: number, aarch64: number | null }} Numbers */
/** @typedef {{ name: string, numbers: Numbers, level: 'full' | 'raw', block: string, ring?: string, result: string, errors: string[],
 *   doc: string, args: [string, string, ArgOptions?][], extra?: string }} SupportedRow */
/** @typedef {{ name: string, numbers: Numbers, level: 'refused', doc: string, reason: string, alternative: string,
 *   block?: string }} RefusedRow */
/** @typedef {{ name: string, numbers: Numbers, level: 'obsolete', doc: string }} ObsoleteRow */
/** @typedef {SupportedRow | RefusedRow | ObsoleteRow} Row */

const families = {
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
  signals,
  scheduling,
  limits,
  credentials,
  namespaces,
  memory,
  ipc,
  aio,
  mounts,
  system,
  security,
  obsolete,
};

/** All rows, by number. */
export const calls = Object.entries(families)
  .flatMap(([family, rows]) => rows.map((row) => ({ ...row, family, number: row.numbers.x86_64 })))
  .sort((a, b) => a.number - b.number);
