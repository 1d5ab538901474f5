/**
 * descriptors.ts: which descriptors the shell has given beside the first three (`lwkt run -- PROGRAM 3<file`): the program is to have them, and none of Node's own.
 *
 * Node does not say. As it begins it marks those that it is given close-on-exec, up to some number, and all of its own are, too. So they are told apart by what they are: Node's own
 * are epoll, eventfd and io_uring, and pipes of which it has both ends; and they are numbered from the first number that was free.
 *
 * Invariant: to be asked before anything else is opened. What is open then and of no such kind has been given; what is below Node's first own, or is not marked, in any case.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Linux' O_CLOEXEC, which node:fs does not have. */
export const CLOEXEC = 0o2000000;

interface Descriptor {
  fd: number;
  /** What /proc/self/fd says: a path, "pipe:[INODE]", "anon_inode:[eventpoll]". */
  is: string;
  flags: number;
}

/** Of an open file: its flags, and how far it has been read. Throws where there is none. */
export function infoOf(fd: number): { flags: number; position: number } {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  const [, flags = '0'] = /^flags:\s+(\d+)/m.exec(info) ?? [];
  const [, position = '0'] = /^pos:\s+(\d+)/m.exec(info) ?? [];
  return { flags: Number.parseInt(flags, 8), position: Number(position) };
}

function look(fd: number): Descriptor | undefined {
  try {
    return { fd, is: readlinkSync(`/proc/self/fd/${fd}`), flags: infoOf(fd).flags };
  } catch {
    return undefined; // by which the folder was read
  }
}

/** Those above the first three. marked: they are not inherited unless somebody sees to it. */
export interface Given {
  readonly marked: readonly number[];
  readonly all: readonly number[];
}

/** What the shell has given. */
export function givenDescriptors(): Given {
  let all: Descriptor[];
  try {
    all = readdirSync('/proc/self/fd')
      .map((name) => look(Number(name)))
      .filter((each) => each !== undefined && each.fd > 2) as Descriptor[];
  } catch {
    return { marked: [], all: [] }; // there is no /proc
  }
  all.sort((a, b) => a.fd - b.fd);
  const channel = (process.channel as { fd?: number } | undefined)?.fd; // lwkt's parent's, for lwkt
  const isMarked = ({ flags }: Descriptor): boolean => (flags & CLOEXEC) !== 0;
  const first = all.find((each) => each.is === 'anon_inode:[eventpoll]' && isMarked(each))?.fd ?? 3;
  const isNodes = (each: Descriptor): boolean => {
    if (each.fd === channel) return true;
    if (each.fd < first || !isMarked(each)) return false;
    if (each.is.startsWith('anon_inode:')) return true;
    return (
      each.is.startsWith('pipe:') && all.some(({ fd, is }) => is === each.is && fd !== each.fd && fd >= first)
    );
  };
  const given = all.filter((each) => !isNodes(each));
  return { marked: given.filter(isMarked).map(({ fd }) => fd), all: given.map(({ fd }) => fd) };
}

/** A child's first three, and what it has at other numbers; nothing between. */
export function stdioOf<First extends 'inherit' | 'ignore' | number>(
  first: readonly [First, First, First],
  others: readonly (readonly [at: number, fd: number])[],
): (First | 'ignore' | number)[] {
  const stdio: (First | 'ignore' | number)[] = [...first];
  for (const [at, fd] of others) {
    while (stdio.length <= at) stdio.push('ignore');
    stdio[at] = fd;
  }
  return stdio;
}
