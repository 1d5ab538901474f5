/** xattr.ts: extended attributes: get, set, list, remove, by path and by descriptor. (getxattr(2), setxattr(2), listxattr(2), removexattr(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { bytesOf, type Call, type Handler, type Handlers, intOf, pass } from '../call.ts';
import type { Entry } from '../inodes/directory.ts';
import { checkName, listed, mayUse, VALUE_MAX } from '../inodes/xattrs.ts';
import { toByteString, toBytes } from '../paths/byte-string.ts';
import { FOLLOW } from '../paths/path-walk.ts';
import { AT, elsewhere, PATH, resolve, type Where } from '../paths/resolve.ts';
import { Target } from '../paths/target.ts';
import { changed } from '../watching/events.ts';

type Action = (call: Call, entry: Entry) => number;
/** Finds what a call is about, and does something with it. */
type On = (call: Call, action: Action) => number;

const at =
  (where: Where, how: number): On =>
  (call, action) => {
    const target = resolve(call, where, how);
    if (!(target instanceof Target)) return elsewhere(call, [where, target]);
    return target.entry === undefined ? -c.ENOENT : action(call, target.entry);
  };

const byPath = at(PATH, FOLLOW);
const byPathItself = at(PATH, 0);

const byDescriptor: On = (call, action) => {
  const file = call.volume.descriptors.get(call.msg.args[0]);
  if (file === undefined) return pass(call);
  return file.pathOnly ? -c.EBADF : action(call, file.entry);
};

/** listxattrat and removexattrat, whose flags are the third argument. */
const byFlags: On = (call, action) => {
  const flags = intOf(call.msg.args[2]);
  if (flags === undefined || (flags & ~(c.AT_SYMLINK_NOFOLLOW | c.AT_EMPTY_PATH)) !== 0) return pass(call);
  const how = (flags & c.AT_SYMLINK_NOFOLLOW) === 0 ? FOLLOW : 0;
  const target = resolve(call, AT, how, (flags & c.AT_EMPTY_PATH) !== 0);
  if (!(target instanceof Target)) return elsewhere(call, [AT, target]);
  return target.entry === undefined ? -c.ENOENT : action(call, target.entry);
};

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string' && !ArrayBuffer.isView(value)) return undefined;
  const name = toByteString(
    typeof value === 'string' ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
  );
  return name.includes('\0') ? undefined : name;
}

/** Bytes into a buffer of a size; 0 asks how many there are. */
function give(bytes: Uint8Array, into: Uint8Array): number {
  if (into.length === 0) return bytes.length;
  if (bytes.length > into.length) return -c.ERANGE;
  into.set(bytes);
  return bytes.length;
}

/** The buffer at an argument, with its length after it; none where the length is 0. */
function bufferAt({ msg }: Call, i: number): Uint8Array | undefined {
  return msg.args[i + 1] === 0 ? new Uint8Array() : bytesOf(msg.args[i], msg.args[i + 1]);
}

const get = (on: On): Handler => {
  const action: Action = (call, { inode }) => {
    const name = nameOf(call.msg.args[1]) as string;
    const may = mayUse(call.volume.credentials, inode, name, false);
    if (may < 0) return may;
    const value = inode.xattrs.get(name);
    return value === undefined ? -c.ENODATA : give(value, bufferAt(call, 2) as Uint8Array);
  };
  return (call) => {
    const name = nameOf(call.msg.args[1]);
    if (name === undefined || bufferAt(call, 2) === undefined || checkName(name) < 0) return pass(call);
    return on(call, action);
  };
};

const set = (on: On): Handler => {
  const action: Action = (call, entry) => {
    const { inode } = entry;
    const name = nameOf(call.msg.args[1]) as string;
    const flags = intOf(call.msg.args[4]) as number;
    const may = mayUse(call.volume.credentials, inode, name, true);
    if (may < 0) return may;
    const known = inode.xattrs.has(name);
    if (known && (flags & c.XATTR_CREATE) !== 0) return -c.EEXIST;
    if (!known && (flags & c.XATTR_REPLACE) !== 0) return -c.ENODATA;
    inode.xattrs.set(name, Buffer.from(bufferAt(call, 2) as Uint8Array));
    inode.touchAttributes();
    changed(entry, c.IN_ATTRIB);
    return 0;
  };
  return (call) => {
    const name = nameOf(call.msg.args[1]);
    const value = bufferAt(call, 2);
    const flags = intOf(call.msg.args[4]);
    // What is wrong before a file is looked for, the level below says.
    if (name === undefined || value === undefined || flags === undefined) return pass(call);
    if (checkName(name) < 0 || value.length > VALUE_MAX) return pass(call);
    if ((flags & ~(c.XATTR_CREATE | c.XATTR_REPLACE)) !== 0) return pass(call);
    return on(call, action);
  };
};

const list = (on: On, buffer: number): Handler => {
  const action: Action = (call, { inode }) => {
    const names = listed(call.volume.credentials, inode).map((name) => `${name}\0`);
    return give(toBytes(names.join('')), bufferAt(call, buffer) as Uint8Array);
  };
  return (call) => (bufferAt(call, buffer) === undefined ? pass(call) : on(call, action));
};

const remove = (on: On, nameAt: number): Handler => {
  const action: Action = (call, entry) => {
    const { inode } = entry;
    const name = nameOf(call.msg.args[nameAt]) as string;
    const may = mayUse(call.volume.credentials, inode, name, true);
    if (may < 0) return may;
    if (!inode.xattrs.delete(name)) return -c.ENODATA;
    inode.touchAttributes();
    changed(entry, c.IN_ATTRIB);
    return 0;
  };
  return (call) => {
    const name = nameOf(call.msg.args[nameAt]);
    return name === undefined || checkName(name) < 0 ? pass(call) : on(call, action);
  };
};

export const xattrCalls: Handlers = {
  getxattr: get(byPath),
  lgetxattr: get(byPathItself),
  fgetxattr: get(byDescriptor),
  setxattr: set(byPath),
  lsetxattr: set(byPathItself),
  fsetxattr: set(byDescriptor),
  listxattr: list(byPath, 1),
  llistxattr: list(byPathItself, 1),
  flistxattr: list(byDescriptor, 1),
  listxattrat: list(byFlags, 3),
  removexattr: remove(byPath, 1),
  lremovexattr: remove(byPathItself, 1),
  fremovexattr: remove(byDescriptor, 1),
  removexattrat: remove(byFlags, 3),
};
