/**
 * callbacks.ts: node:fs' functions with callbacks: where each of them has it, and in which order it looks at its arguments. Those that are called in more
 * than one way, or that answer more than one thing, are written out.
 */
import { promisify } from 'node:util';
import { invalidType } from '@libcr/core/internal';
import { checkFd, checkInteger, checkObject, type Options } from '../arguments/arguments.ts';
import * as descriptors from '../arguments/descriptors.ts';
import { exists as existsWork } from '../arguments/paths.ts';
import { mkdirCalled } from '../directories.ts';
import { readFileCalled } from '../files.ts';
import { glob as globWork } from '../glob/glob.ts';
import { checksLinkTypes } from '../node/this-node.ts';
import { onDescriptors as onFd, onPaths } from '../operations.ts';
import { fstatCalled, lstatCalled, statCalled } from '../stat/stat.ts';
import { realpathOfKernel } from '../trees/trees.ts';
import {
  type Args,
  afterOptional,
  at,
  called,
  checkCallback,
  either,
  named,
  type Operation,
  tell,
} from './forms.ts';

type Called = (...args: Args) => void;

const callbackLast = { callbackLast: true };

/** truncate's length is looked at before the callback is, and that before what it is the length of. */
function behindLength(args: Args): readonly [callback: unknown, operands: Args] {
  const [callback, operands] = afterOptional(2)(args);
  if (operands[1] !== undefined) checkInteger(operands[1], 'len');
  return [callback, operands];
}

export const access: Called = called(onPaths.access, afterOptional(2), callbackLast);
export const appendFile: Called = called(onPaths.appendFile, either(3));
export const chmod: Called = called(onPaths.chmod, at(2), callbackLast);
export const chown: Called = called(onPaths.chown, at(3));
export const copyFile: Called = called(onPaths.copyFile, afterOptional(3), callbackLast);
export const cp: Called = called(onPaths.cp, afterOptional(3));
export const fchmod: Called = called(onFd.fchmod, at(2), callbackLast);
export const fchown: Called = called(onFd.fchown, at(3), callbackLast);
export const fdatasync: Called = called(onFd.fdatasync, at(1));
export const fstat: Called = called(fstatCalled, afterOptional(2));
export const fsync: Called = called(onFd.fsync, at(1));
export const ftruncate: Called = called(onFd.ftruncate, behindLength);
export const futimes: Called = called(onFd.futimes, at(3), callbackLast);
export const glob: Called = called(globWork, afterOptional(2));
export const lchown: Called = called(onPaths.lchown, at(3));
export const link: Called = called(onPaths.link, at(2));
export const lstat: Called = called(lstatCalled, afterOptional(2));
export const lutimes: Called = called(onPaths.lutimes, at(3));
export const mkdir: Called = called(mkdirCalled, afterOptional(2));
export const mkdtemp: Called = called(onPaths.mkdtemp, afterOptional(2));
export const open: Called = called(
  onFd.open,
  (args) =>
    args.length < 3
      ? [args[1], args.slice(0, 1)]
      : typeof args[2] === 'function'
        ? [args[2], args.slice(0, 2)]
        : [args[3], args.slice(0, 3)],
  callbackLast,
);
export const opendir: Called = called(onPaths.opendir, afterOptional(2), { name: 'callback' });
export const readFile: Called = called(readFileCalled, either(2));
export const readdir: Called = called(onPaths.readdir, afterOptional(2));
export const readlink: Called = called(onPaths.readlink, afterOptional(2));
export const rename: Called = called(onPaths.rename, at(2));
export const rm: Called = called(onPaths.rm, afterOptional(2), callbackLast);
export const rmdir: Called = called(onPaths.rmdir, afterOptional(2));
export const stat: Called = called(statCalled, afterOptional(2), { results: (stat) => [stat] });
export const statfs: Called = called(onPaths.statfs, afterOptional(2));
export const truncate: Called = called(onPaths.truncate, behindLength);
export const unlink: Called = called(onPaths.unlink, at(1));
export const utimes: Called = called(onPaths.utimes, at(3));
export const writeFile: Called = called(onPaths.writeFile, either(3));

/** Before, whatever came last was the callback. */
export const symlink: Called = called(
  onPaths.symlink,
  checksLinkTypes
    ? (args) => (args[3] === undefined ? [args[2], args.slice(0, 2)] : [args[3], args.slice(0, 3)])
    : (args) => [args.at(-1), args.slice(0, 3)],
);

export const realpath: Called & { native: Called } = Object.assign(
  called(onPaths.realpath, afterOptional(2)),
  { native: called(realpathOfKernel, either(2)) },
);

const READ_SIZE = 16384;

interface ReadArguments {
  buffer: unknown;
  /** Options, or undefined where offset, length and position have places of their own. */
  params?: Options;
  callback: unknown;
}

/** (fd, callback), (fd, options, callback), (fd, buffer, callback), (fd, buffer, options, callback), or all of it. */
function readArguments(args: Args): ReadArguments {
  const [, first, second] = args;
  if (args.length > 4) return { buffer: first, callback: args[5] };
  if (args.length === 4) {
    if (second === undefined) throw invalidType('options', 'of type object', second);
    return { buffer: first, params: checkObject(second), callback: args[3] };
  }
  if (args.length === 3 && ArrayBuffer.isView(first)) return { buffer: first, params: {}, callback: second };
  const params = args.length === 3 ? checkObject(first) : {};
  const { buffer = Buffer.alloc(READ_SIZE) } = params as { buffer?: unknown };
  return { buffer, params, callback: args.length === 3 ? second : first };
}

export const read: Called = named(
  (...args: Args): void => {
    const fd = checkFd(args[0]);
    const { buffer, params, callback } = readArguments(args);
    const view = descriptors.checkRoom(buffer);
    const checked = checkCallback(callback);
    let [offset, length, position] = args.slice(2, 5);
    if (params !== undefined) {
      ({ offset = 0, position = null } = params);
      length = params.length === undefined ? view.byteLength - offset : params.length;
    }
    const from = offset === undefined || offset === null ? 0 : checkInteger(offset, 'offset', 0);
    const work = descriptors.readPart(fd, view, from, length | 0, position);
    tell(work.promise(), checked, (n) => [n, buffer], [0, buffer]);
  },
  ['bytesRead', 'buffer'],
);

/** A buffer with what follows it, or text with a position and an encoding. The callback is the first that is there from behind. */
function writePlaces(args: Args): readonly [callback: unknown, operands: Args] {
  const [fd, data, ...rest] = args;
  if (ArrayBuffer.isView(data)) {
    const callback = rest[3] || rest[2] || rest[1] || rest[0];
    return [
      callback,
      [fd, data, ...rest.slice(0, 3).map((value) => (value === callback ? undefined : value))],
    ];
  }
  const [position, encoding, callback] = rest;
  if (typeof callback === 'function') return [callback, [fd, data, position, encoding]];
  return typeof position === 'function' ? [position, [fd, data]] : [encoding, [fd, data, position]];
}

export const write: Called = named(
  (...args: Args): void => {
    checkFd(args[0]);
    const [callback, operands] = writePlaces(args);
    if (ArrayBuffer.isView(args[1])) checkCallback(callback);
    const work = descriptors.write(...(operands as Parameters<typeof descriptors.write>));
    const checked = checkCallback(callback);
    tell(work.promise(), checked, (n) => [n, args[1]], [0, args[1]]);
  },
  ['bytesWritten', 'buffer'],
);

/** The callback of readv and writev: behind the position, or in its place. */
const vectored =
  (operation: Operation<number>): Called =>
  (...args: Args): void => {
    checkFd(args[0]);
    const [callback, operands] = either(3)(args);
    const work = operation(...operands);
    const checked = checkCallback(callback);
    tell(work.promise(), checked, (n) => [n, args[1]], [0, args[1]]);
  };

export const readv: Called = named(vectored(descriptors.readv), ['bytesRead', 'buffers']);

// That it is one buffer here is Node's name.
export const writev: Called = named(vectored(descriptors.writev), ['bytesWritten', 'buffer']);

/** Its callback gets no error. (node:fs has it as deprecated) */
export const exists: Called = (path: unknown, callback: unknown): void => {
  const checked = checkCallback(callback) as unknown as (there: unknown) => void;
  tell(
    existsWork(path).promise(),
    (_error, there) => checked(there),
    (there) => [there],
  );
};
Object.defineProperty(exists, promisify.custom, {
  value: (path: unknown) => new Promise((resolve) => exists(path, resolve)),
});

function rethrow(error: Error | null): void {
  if (error !== null) throw error;
}

/** The one function whose callback may be missing: what fails is an uncaught exception then, as in node:fs. */
export const close: Called = (fd: unknown, callback: unknown = rethrow): void => {
  const checked = checkCallback(callback);
  tell(descriptors.close(fd).promise(), checked, () => []);
};
