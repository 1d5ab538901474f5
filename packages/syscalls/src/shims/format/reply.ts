/**
 * reply.ts: a call's result, with strace's remark in parentheses: what an errno, flags or a timeout mean.
 *
 * Not here: what the kernel has written into the arguments, which the call shows (argument.ts), but for
 * poll's revents, which strace puts here.
 *
 * Invariant: every reply has a text.
 */
import { errnos, type Row } from '../../generated/rows.ts';
import { fcntlReply } from './fcntl.ts';
import { pollfds } from './structs.ts';
import { ADDRESS, bytesOf, octal, wideHexadecimal } from './text.ts';

/** Calls of a program's that answer where its memory is. */
const ADDRESSES: ReadonlySet<string> = new Set(['brk', 'mmap', 'mremap', 'shmat']);
/** Those that do not come back. */
const NO_RETURN: ReadonlySet<string> = new Set(['exit', 'exit_group', 'rt_sigreturn']);

/** "= 3", "= 0 (Timeout)", "= -1 ENOENT (No such file or directory)"; the texts are the C library's, not libuv's. */
export function formatReply(row: Row | undefined, args: readonly unknown[], reply: number): string {
  if (reply < 0) {
    const [, name, text] = errnos.find(([errno]) => errno === -reply) ?? [];
    return name === undefined ? `= -1 (errno ${-reply})` : `= -1 ${name} (${text})`;
  }
  if (row !== undefined && NO_RETURN.has(row.name)) return '= ?';
  if (row !== undefined && ADDRESSES.has(row.name)) return `= ${wideHexadecimal(reply)}`;
  if (row?.name === 'umask') return `= ${octal(reply)}`;
  if (row?.name === 'poll') return `= ${reply} (${pollReply(args, reply)})`;
  return row?.name === 'fcntl' ? `= ${fcntlReply(args[1], reply)}` : `= ${reply}`;
}

function pollReply([fds, count]: readonly unknown[], reply: number): string {
  if (reply === 0) return 'Timeout';
  return ArrayBuffer.isView(fds) ? pollfds(bytesOf(fds), Number(count), 'revents') : ADDRESS;
}
