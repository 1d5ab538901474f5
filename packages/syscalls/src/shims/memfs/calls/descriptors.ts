/** descriptors.ts: what is done with descriptors themselves: close, dup, fcntl; and whatever makes new ones. (close(2), dup(2), fcntl(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { below, type Call, type Handlers, intOf, pass } from '../call.ts';
import { fileLock, isLockCommand } from '../open-files/locks.ts';
import type { OpenFile } from '../open-files/open-file.ts';

const CLOSE_RANGE_CLOEXEC = 4;

function close(call: Call): number {
  const { descriptors } = call.volume;
  const fd = call.msg.args[0] as number;
  const notifier = descriptors.notifier(fd);
  const file = descriptors.take(fd); // first: as soon as the kernel has closed it, its number may be another's
  const answer = pass(call);
  if (file === undefined) {
    if (answer >= 0 && notifier === descriptors.notifier(fd)) descriptors.drop(fd);
  } else if (answer < 0 && below(call, 'fcntl', fd, c.F_GETFD, 0) >= 0) {
    descriptors.putBack(fd, file); // a shim below has refused
  } else {
    descriptors.release(file);
  }
  return answer;
}

function closeRange(call: Call): number {
  const [first, last, flags] = call.msg.args as number[];
  const answer = pass(call);
  if (answer >= 0 && ((flags as number) & CLOSE_RANGE_CLOEXEC) === 0)
    call.volume.descriptors.dropRange((first as number) >>> 0, (last as number) >>> 0);
  return answer;
}

/** dup, dup2, dup3: the kernel makes the number, and it stands for the same file here. */
function dup(call: Call): number {
  const { descriptors } = call.volume;
  const from = call.msg.args[0];
  const [file, directory] = [descriptors.get(from), descriptors.realDirectory(from)];
  const notifier = descriptors.notifier(from);
  if (file !== undefined) descriptors.hold(file);
  try {
    const fd = pass(call);
    if (fd < 0 || fd === from) return fd;
    if (file !== undefined) descriptors.add(fd, file);
    else if (directory !== undefined) descriptors.addRealDirectory(fd, directory);
    else if (notifier !== undefined) descriptors.addNotifier(fd, notifier);
    else descriptors.drop(fd);
    return fd;
  } finally {
    if (file !== undefined) descriptors.release(file);
  }
}

function fcntl(call: Call): number {
  const { args } = call.msg;
  const command = intOf(args[1]);
  if (command === c.F_DUPFD || command === c.F_DUPFD_CLOEXEC) return dup(call);
  const file = call.volume.descriptors.get(args[0]);
  if (file === undefined || command === undefined) return pass(call);
  return ofFile(call, file, command, args[2]);
}

function ofFile(call: Call, file: OpenFile, command: number, argument: unknown): number {
  if (command === c.F_GETFD || command === c.F_SETFD) return pass(call);
  if (command === c.F_GETFL) return file.flags;
  if (file.pathOnly) return -c.EBADF;
  if (command === c.F_SETFL) {
    const flags = intOf(argument);
    if (flags === undefined) return pass(call);
    if ((flags & ~file.flags & c.O_NOATIME) !== 0 && !call.volume.credentials.owns(file.inode))
      return -c.EPERM;
    file.setFlags(flags);
    return 0;
  }
  return isLockCommand(command) ? fileLock(call, file, command, argument) : -c.EINVAL;
}

/** Calls that answer a new descriptor: if memory knows its number, it was closed past the port, and is now somebody else's. */
function made(call: Call): number {
  const fd = pass(call);
  if (fd >= 0) call.volume.descriptors.drop(fd);
  return fd;
}

/** The same for two of them, in the buffer that is the argument at i. */
function madePair(call: Call, i: number): number {
  const answer = pass(call);
  const pair = call.msg.args[i];
  if (answer < 0 || !ArrayBuffer.isView(pair) || pair.byteLength < 8) return answer;
  const view = new DataView(pair.buffer, pair.byteOffset, 8);
  call.volume.descriptors.drop(view.getInt32(0, true));
  call.volume.descriptors.drop(view.getInt32(4, true));
  return answer;
}

const MAKERS: readonly string[] = [
  'socket',
  'accept',
  'accept4',
  'epoll_create',
  'epoll_create1',
  'eventfd',
  'eventfd2',
  'timerfd_create',
  'signalfd',
  'signalfd4',
  'memfd_create',
  'memfd_secret',
  'mq_open',
  'perf_event_open',
  'open_tree',
  'fsopen',
  'fsmount',
  'fspick',
  'pidfd_open',
  'pidfd_getfd',
  'open_by_handle_at',
  'userfaultfd',
  'fanotify_init',
  'io_uring_setup',
];

export const descriptorCalls: Handlers = {
  close,
  close_range: closeRange,
  dup,
  dup2: dup,
  dup3: dup,
  fcntl,
  pipe: (call) => madePair(call, 0),
  pipe2: (call) => madePair(call, 0),
  socketpair: (call) => madePair(call, 3),
  ...Object.fromEntries(MAKERS.map((name) => [name, made])),
};
