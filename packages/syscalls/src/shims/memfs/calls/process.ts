/** process.ts: what belongs to a process: its working directory and umask. (chdir(2), getcwd(2), umask(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { bytesOf, type Call, type Handlers, pass } from '../call.ts';
import { MAY_EXECUTE } from '../credentials.ts';
import { Directory, type Entry } from '../inodes/directory.ts';
import { toBytes } from '../paths/byte-string.ts';
import { pathOf } from '../paths/mount-point.ts';
import { FOLLOW } from '../paths/path-walk.ts';
import { elsewhere, PATH, resolve } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';

/** Into the tree: relative paths begin there from now on, through this port; the kernel's own working directory stays where it was. */
function enter({ volume }: Call, entry: Entry | undefined): number {
  if (entry === undefined) return -c.ENOENT;
  if (!(entry.inode instanceof Directory)) return -c.ENOTDIR;
  if (!volume.credentials.may(entry.inode, MAY_EXECUTE)) return -c.EACCES;
  entry.hold();
  volume.workingDirectory?.entry.letGo();
  volume.workingDirectory = entry.inode;
  return 0;
}

function leave(call: Call, answer: number): number {
  if (answer < 0) return answer;
  call.volume.workingDirectory?.entry.letGo();
  call.volume.workingDirectory = undefined;
  return answer;
}

function chdir(call: Call): number {
  const target = resolve(call, PATH, FOLLOW);
  if (target instanceof Target) return enter(call, target.entry);
  return leave(call, elsewhere(call, [PATH, target]));
}

function fchdir(call: Call): number {
  const file = call.volume.descriptors.get(call.msg.args[0]);
  return file === undefined ? leave(call, pass(call)) : enter(call, file.entry);
}

function getcwd(call: Call): number {
  const { workingDirectory } = call.volume;
  const [buffer, length] = call.msg.args;
  const into = bytesOf(buffer, length);
  if (workingDirectory === undefined || into === undefined) return pass(call);
  if (workingDirectory.dead) return -c.ENOENT;
  const path = toBytes(`${pathOf(workingDirectory.entry)}\0`);
  if (path.length > into.length) return -c.ERANGE;
  into.set(path);
  return path.length;
}

function umask(call: Call): number {
  const answer = pass(call);
  const mask = call.msg.args[0];
  if (answer >= 0 && typeof mask === 'number') call.volume.credentials.umask = mask & 0o777;
  return answer;
}

export const processCalls: Handlers = { chdir, fchdir, getcwd, umask };
