/** read-write.ts: read, write and their relatives, at the position or at an offset. (read(2), write(2), pread(2), readv(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { bytesOf, type Call, type Handlers, longOf, pass, vectorOf } from '../call.ts';
import { Directory, type Entry } from '../inodes/directory.ts';
import { type RegularFile, SIZE_MAX } from '../inodes/file.ts';
import type { OpenFile } from '../open-files/open-file.ts';
import type { Volume } from '../volume.ts';
import { changed, used } from '../watching/events.ts';

/** Reads at an offset, or at the position if there is none. Who watches is told of readv and its like also where they have read nothing. */
export function readFrom(
  file: OpenFile,
  views: readonly Uint8Array[],
  offset?: number,
  isVector = false,
): number {
  if (!file.readable) return -c.EBADF;
  const { inode } = file;
  if (views.length === 0) {
    if (isVector) used(file.entry, c.IN_ACCESS);
    return 0; // it doesn't get as far as to look
  }
  if (inode instanceof Directory) return -c.EISDIR;
  let at = offset ?? file.position;
  let total = 0;
  for (const view of views) {
    const n = (inode as RegularFile).read(view, at);
    at += n;
    total += n;
    if (n < view.length) break;
  }
  if (offset === undefined) file.position = at;
  file.accessed(total > 0 || isVector);
  return total;
}

/** A file's contents have changed: it runs as nobody else any more, which is a change of its attributes. */
export function written({ credentials }: Volume, entry: Entry): void {
  const { mode } = entry.inode;
  credentials.written(entry.inode);
  if (entry.inode.mode !== mode) changed(entry, c.IN_ATTRIB);
}

/** The same for writing; the end if the file is in append mode. A short answer, or -ENOSPC, means that the space is used up. */
export function writeTo(
  volume: Volume,
  file: OpenFile,
  views: readonly Uint8Array[],
  offset?: number,
): number {
  if (!file.writable) return -c.EBADF;
  const inode = file.inode as RegularFile;
  const length = views.reduce((sum, view) => sum + view.length, 0);
  if (length === 0) return 0;
  const append = (file.flags & c.O_APPEND) !== 0;
  let at = append ? inode.size : (offset ?? file.position);
  if (at + length > SIZE_MAX) return -c.EFBIG;
  let total = 0;
  let answer = 0;
  for (const view of views) {
    answer = inode.write(view, at);
    if (answer < 0) break;
    at += answer;
    total += answer;
    if (answer < view.length) break;
  }
  if (total === 0) return answer;
  if (offset === undefined) file.position = at;
  inode.touch();
  written(volume, file.entry);
  used(file.entry, c.IN_MODIFY);
  return total;
}

type Views = (args: readonly unknown[]) => Uint8Array[] | undefined;

const one: Views = (args) => {
  const view = bytesOf(args[1], args[2]);
  return view && [view];
};
const many: Views = (args) => vectorOf(args[1], args[2]);

/** Whether the call's offset is its fourth argument. "-1" is the position for those that say so. */
interface Style {
  views: Views;
  offset: boolean;
  minusOne?: boolean;
}

function transfer(call: Call, { views: viewsOf, offset: has, minusOne }: Style, reads: boolean): number {
  const { volume, msg } = call;
  const file = volume.descriptors.get(msg.args[0]);
  if (file === undefined) return pass(call);
  const views = viewsOf(msg.args);
  let offset = has ? longOf(msg.args[3]) : undefined;
  if (views === undefined || (has && offset === undefined)) return pass(call);
  if (minusOne === true && offset === -1) offset = undefined;
  if (offset !== undefined && offset < 0) return -c.EINVAL;
  return reads ? readFrom(file, views, offset, viewsOf === many) : writeTo(volume, file, views, offset);
}

const AT_POSITION: Style = { views: one, offset: false };
const AT_OFFSET: Style = { views: one, offset: true };
const VECTOR: Style = { views: many, offset: false };
const VECTOR_AT_OFFSET: Style = { views: many, offset: true };
const VECTOR_WITH_FLAGS: Style = { views: many, offset: true, minusOne: true };

export const readWriteCalls: Handlers = {
  read: (call) => transfer(call, AT_POSITION, true),
  write: (call) => transfer(call, AT_POSITION, false),
  pread64: (call) => transfer(call, AT_OFFSET, true),
  pwrite64: (call) => transfer(call, AT_OFFSET, false),
  readv: (call) => transfer(call, VECTOR, true),
  writev: (call) => transfer(call, VECTOR, false),
  preadv: (call) => transfer(call, VECTOR_AT_OFFSET, true),
  pwritev: (call) => transfer(call, VECTOR_AT_OFFSET, false),
  preadv2: (call) => transfer(call, VECTOR_WITH_FLAGS, true),
  pwritev2: (call) => transfer(call, VECTOR_WITH_FLAGS, false),
};
