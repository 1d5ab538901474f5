/**
 * format: a system call as strace(1) prints it: `openat(AT_FDCWD, "/etc/hosts", O_RDONLY)` and `= 21`. Names
 * of flags and the arguments' shapes come from the table; names that only strace shows, and no program here
 * can use by name, stand in these files. test/shims/trace.test.ts compares with strace itself.
 *
 * call.ts is the call and reply.ts its result; both put together what the others say of one part:
 * argument.ts, and below it fcntl.ts, socket.ts and structs.ts, and below these flags.ts and text.ts.
 *
 * Invariant: arguments are read, not changed. What an argument is not meant to be is shown as util.inspect shows
 * it. Where reading an odd one throws (a getter of its own, a valueOf), that is trace.ts' to catch.
 *
 * Not here: when it is printed, and where (../trace.ts).
 */
export {
  earlyCount,
  formatArguments,
  formatCall,
  formatUnknown,
  lengthsOf,
  unknownArguments,
  unknownName,
} from './call.ts';
export { formatReply } from './reply.ts';
