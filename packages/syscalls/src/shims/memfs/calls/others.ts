/** others.ts: calls that have nothing to do for files in memory, and those that cannot be done with them and say so. */
import { constants as c } from '../../../generated/constants.ts';
import { type Call, type Handler, type Handlers, intOf, pass } from '../call.ts';
import { wholeLock } from '../open-files/locks.ts';
import { FOLLOW } from '../paths/path-walk.ts';
import { AT, elsewhere, PATH, resolve, type Where } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';

/** An answer for descriptors of memory at the argument i; O_PATH's are EBADF. */
const answering =
  (answer: number, i = 0): Handler =>
  (call) => {
    const file = call.volume.descriptors.get(call.msg.args[i]);
    if (file === undefined) return pass(call);
    return file.pathOnly ? -c.EBADF : answer;
  };

/** An answer for paths of memory. */
const answeringAt =
  (answer: number, where: Where = PATH, how: number = FOLLOW): Handler =>
  (call) => {
    const target = resolve(call, where, how);
    if (!(target instanceof Target)) return elsewhere(call, [where, target]);
    return target.entry === undefined ? -c.ENOENT : answer;
  };

function flock(call: Call): number {
  const file = call.volume.descriptors.get(call.msg.args[0]);
  const operation = intOf(call.msg.args[1]);
  if (file === undefined || operation === undefined) return pass(call);
  return file.pathOnly ? -c.EBADF : wholeLock(file, operation);
}

/** splice and tee, with one of the ends in memory, which is no pipe. */
const betweenPipes =
  (to: number): Handler =>
  (call) => {
    const { descriptors } = call.volume;
    const { args } = call.msg;
    const isOurs = descriptors.get(args[0]) !== undefined || descriptors.get(args[to]) !== undefined;
    return isOurs ? -c.EINVAL : pass(call);
  };

const NOT_SUPPORTED = -c.EOPNOTSUPP;

export const otherCalls: Handlers = {
  fsync: answering(0),
  fdatasync: answering(0),
  syncfs: answering(0),
  sync_file_range: answering(0),
  fadvise64: answering(0),
  readahead: answering(0),
  flock,
  splice: betweenPipes(2),
  tee: betweenPipes(1),
  mmap: answering(-c.ENODEV, 4),
  ioctl: answering(-c.ENOTTY),
  cachestat: answering(NOT_SUPPORTED),
  chroot: answeringAt(-c.EPERM),
  file_getattr: answeringAt(NOT_SUPPORTED, AT, 0),
  file_setattr: answeringAt(NOT_SUPPORTED, AT, 0),
  name_to_handle_at: answeringAt(NOT_SUPPORTED, AT, 0),
};
