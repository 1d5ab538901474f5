/**
 * given.ts: the descriptors above 2 that the shell has given to `lwkt explore`, for each of its runs. A file is opened anew for each, so that all runs begin at the same place of it, whatever others have
 * read. A pipe or a socket can't be had twice: no run has it, which is said.
 *
 * Invariant: what a run reads from a descriptor does not depend on which runs were before it or are beside it, as long as nobody changes the file.
 */
import { constants as c, closeSync, fstatSync, openSync, readlinkSync } from 'node:fs';
import { CLOEXEC, givenDescriptors, infoOf } from '../program/descriptors.ts';

export interface GivenFile {
  /** Whether somebody has meant it for the program. */
  readonly isMeant: boolean;
  readonly fd: number;
  readonly path: string;
  /** As open takes them. */
  readonly flags: number;
  readonly position: number;
}

const kinds: readonly [RegExp, string][] = [
  [/^pipe:/, 'a pipe'],
  [/^socket:/, 'a socket'],
];

function fileOf(fd: number, isMeant: boolean): GivenFile | string {
  const path = readlinkSync(`/proc/self/fd/${fd}`);
  const stat = fstatSync(fd);
  const kind = kinds.find(([is]) => is.test(path))?.[1] ?? (stat.isFIFO() ? 'a FIFO' : undefined);
  if (kind !== undefined) return kind;
  const info = infoOf(fd);
  const flags = (info.flags & ~(CLOEXEC | c.O_NOFOLLOW)) | c.O_NOCTTY;
  const file = { fd, isMeant, path, flags, position: stat.isFile() ? info.position : 0 };
  try {
    closeSync(reopen(file));
  } catch (error) {
    return `${path}, which can not be opened again (${(error as NodeJS.ErrnoException).code})`;
  }
  return file;
}

const reopen = ({ fd, flags }: GivenFile): number => openSync(`/proc/self/fd/${fd}`, flags);

/**
 * The files; tell is told of what is none and seems to be meant for the program: by a number that one writes, or as an argument, as <(command) is. Others have been left open by whoever has started the shell.
 * To be called before anything else is opened.
 */
export function givenFiles(program: readonly string[], tell: (line: string) => void): GivenFile[] {
  const isMeant = (fd: number): boolean => fd < 10 || program.some((word) => word.endsWith(`/fd/${fd}`));
  const files: GivenFile[] = [];
  for (const fd of givenDescriptors().all) {
    const file = fileOf(fd, isMeant(fd));
    if (typeof file === 'object') files.push(file);
    else if (isMeant(fd))
      tell(`no run has descriptor ${fd}, which would have to be the same for each: it is ${file}`);
  }
  return files;
}

/** Opens them for a run: whoever has called closes them. Throws what open and lseek throw. */
export async function openGiven(files: readonly GivenFile[]): Promise<[at: number, fd: number][]> {
  const opened: [number, number][] = [];
  for (const file of files) {
    const fd = reopen(file);
    opened.push([file.fd, fd]);
    if (file.position > 0) (await import('@libcr/syscalls')).sys.lseek(fd, file.position);
  }
  return opened;
}

/** What a shell is told to give them again: redirections, and what those can't say. */
export function redirections(files: readonly GivenFile[], quoted: (word: string) => string): string {
  const named = files.filter(
    ({ isMeant, path }) => isMeant && path.startsWith('/') && !path.endsWith(' (deleted)'),
  );
  const sign = (flags: number): string =>
    (flags & 3) === c.O_RDONLY ? '<' : (flags & 3) === c.O_WRONLY ? '>>' : '<>';
  const texts = named.map(({ fd, path, flags }) => ` ${fd}${sign(flags)}${quoted(path)}`);
  const moved = named.filter(({ position }) => position > 0);
  const places = moved.map(({ fd, position }) => `descriptor ${fd} is at ${position}`);
  return texts.join('') + (places.length > 0 ? ` # ${places.join(', ')}` : '');
}
