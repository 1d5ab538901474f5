/** inotify.ts: watching what is in the tree, by the kernel's own inotify descriptors, which may watch real files besides. (inotify(7)) */
import { constants as c } from '../../../generated/constants.ts';
import { bytesOf, type Call, type Handler, type Handlers, intOf, pass, vectorOf } from '../call.ts';
import { MAY_READ } from '../credentials.ts';
import { Directory } from '../inodes/directory.ts';
import { FOLLOW } from '../paths/path-walk.ts';
import { elsewhere, resolve } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';
import { Notifier } from '../watching/notifier.ts';

/** Bits that a mask may have. */
const KNOWN =
  c.IN_ALL_EVENTS |
  c.IN_UNMOUNT |
  c.IN_Q_OVERFLOW |
  c.IN_IGNORED |
  c.IN_ONLYDIR |
  c.IN_DONT_FOLLOW |
  c.IN_EXCL_UNLINK |
  c.IN_MASK_CREATE |
  c.IN_MASK_ADD |
  c.IN_ISDIR |
  c.IN_ONESHOT;
const SECOND = { dirfd: -1, path: 1 };

function init(call: Call): number {
  const { descriptors } = call.volume;
  const fd = pass(call);
  if (fd >= 0) {
    descriptors.drop(fd); // if memory knows its number, it was closed past the port
    descriptors.addNotifier(fd, new Notifier());
  }
  return fd;
}

function addWatch(call: Call): number {
  const { volume, msg } = call;
  const [fd, mask] = [intOf(msg.args[0]), intOf(msg.args[2])];
  if (fd === undefined || mask === undefined) return pass(call);
  const target = resolve(call, SECOND, (mask & c.IN_DONT_FOLLOW) === 0 ? FOLLOW : 0);
  if (!(target instanceof Target) && typeof target !== 'number') return elsewhere(call, [SECOND, target]);
  if ((mask & KNOWN) === 0 || (mask & ~KNOWN) !== 0) return -c.EINVAL;
  let notifier = volume.descriptors.notifier(fd);
  const known = notifier !== undefined;
  notifier ??= new Notifier(); // one that has come from elsewhere
  const answer = notifier.activate(fd);
  if (answer < 0) return answer;
  if (!known) volume.descriptors.addNotifier(fd, notifier);
  if ((mask & c.IN_MASK_ADD) !== 0 && (mask & c.IN_MASK_CREATE) !== 0) return -c.EINVAL;
  if (typeof target === 'number') return target;
  if (target.entry === undefined) return -c.ENOENT;
  const { inode } = target.entry;
  if ((mask & c.IN_ONLYDIR) !== 0 && !(inode instanceof Directory)) return -c.ENOTDIR;
  if (!volume.credentials.may(inode, MAY_READ)) return -c.EACCES;
  return notifier.add(inode, mask);
}

function removeWatch(call: Call): number {
  const [fd, watch] = call.msg.args;
  return call.volume.descriptors.notifier(fd)?.remove(watch as number) === true ? 0 : pass(call);
}

function ioctl(call: Call, otherwise: Handler): number {
  const [fd, request, argument] = call.msg.args;
  const notifier = call.volume.descriptors.notifier(fd);
  const bytes = ArrayBuffer.isView(argument) ? bytesOf(argument, 4) : undefined;
  if (notifier?.isActive !== true || request !== c.FIONREAD || bytes === undefined) return otherwise(call);
  new DataView(bytes.buffer, bytes.byteOffset).setInt32(0, notifier.size, true);
  return 0;
}

/** A read of a descriptor that watches something in memory; of others what it is otherwise. */
const reading =
  (otherwise: Handler, isVector: boolean): Handler =>
  (call) => {
    const { args } = call.msg;
    const notifier = call.volume.descriptors.notifier(args[0]);
    if (notifier?.isActive !== true) return otherwise(call);
    if (!isVector) {
      const into = bytesOf(args[1], args[2]);
      return into === undefined ? pass(call) : notifier.read(call, into);
    }
    const views = vectorOf(args[1], args[2]);
    if (views === undefined) return pass(call);
    const all = Buffer.alloc(views.reduce((sum, { length }) => sum + length, 0));
    const n = notifier.read(call, all);
    let at = 0;
    for (const view of views) {
      view.set(all.subarray(at, Math.min(at + view.length, Math.max(n, 0))));
      at += view.length;
    }
    return n;
  };

/** The calls, over those that do the same for files. */
export function watchingCalls({ read, readv, ioctl: ofFiles }: Handlers): Handlers {
  return {
    inotify_init: init,
    inotify_init1: init,
    inotify_add_watch: addWatch,
    inotify_rm_watch: removeWatch,
    read: reading(read as Handler, false),
    readv: reading(readv as Handler, true),
    ioctl: (call) => ioctl(call, ofFiles as Handler),
  };
}
