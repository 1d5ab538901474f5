/** options.ts: memfs' options: as whom its files are used, and how much room there is. */
import { totalmem } from 'node:os';
import { invalidType, outOfRange } from '@libcr/core/internal';
import { nodeFs } from '../../node-fs.ts';
import { checkKeys } from '../match.ts';
import { Credentials } from './credentials.ts';
import { PAGE, Space } from './inodes/space.ts';

export interface MemfsOptions {
  /** The user that the tree is used as: the owner of new files, whose permissions count; 0 may do everything. The process' effective one, if absent. */
  uid?: number | undefined;
  /** The same for the group. */
  gid?: number | undefined;
  /** Further groups; the process' own, if uid and gid are absent, too, else none. */
  groups?: readonly number[] | undefined;
  /** Taken from the modes of what is made; the process' own if absent. A umask() through the port changes it. */
  umask?: number | undefined;
  /** Bytes that files may take, in pages of 4,096; ENOSPC beyond. Half of the machine's memory if absent, as for tmpfs. */
  size?: number | undefined;
  /** How many files, directories and names of files there may be; ENOSPC beyond. As many as size has pages, if absent. */
  inodes?: number | undefined;
}

/** Their names. */
export const KNOWN: readonly string[] = ['uid', 'gid', 'groups', 'umask', 'size', 'inodes'];
const ID_MAX = 2 ** 32 - 2;

function integer(name: string, value: unknown, max: number): void {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw outOfRange(name, `an integer >= 0 and <= ${max}`, value);
}

/** Throws TypeError and RangeError for options that cannot be understood. */
export function checkOptions(options: MemfsOptions): void {
  checkKeys('options', options, KNOWN);
  const { uid, gid, groups, umask, size, inodes } = options;
  if (uid !== undefined) integer('options.uid', uid, ID_MAX);
  if (gid !== undefined) integer('options.gid', gid, ID_MAX);
  if (umask !== undefined) integer('options.umask', umask, 0o777);
  if (size !== undefined) integer('options.size', size, Number.MAX_SAFE_INTEGER);
  if (inodes !== undefined) integer('options.inodes', inodes, Number.MAX_SAFE_INTEGER);
  if (groups === undefined) return;
  if (!Array.isArray(groups)) throw invalidType('options.groups', 'an array of numbers', groups);
  groups.forEach((group, i) => {
    integer(`options.groups[${i}]`, group, ID_MAX);
  });
}

/** The process' umask. process.umask() sets it for a moment, which other threads would see. (proc_pid_status(5)) */
function processUmask(): number {
  const [, mask] = /^Umask:\s*([0-7]+)$/m.exec(nodeFs.readFileSync('/proc/self/status', 'latin1')) ?? [];
  return mask === undefined ? 0o022 : Number.parseInt(mask, 8);
}

export function credentialsOf({ uid, gid, groups, umask }: MemfsOptions): Credentials {
  const own = uid === undefined && gid === undefined;
  return new Credentials(
    uid ?? (process.geteuid?.() as number),
    gid ?? (process.getegid?.() as number),
    groups ?? (own ? (process.getgroups?.() as number[]) : []),
    umask ?? processUmask(),
  );
}

export function spaceOf({ size, inodes }: MemfsOptions): Space {
  const pages = Math.floor((size ?? totalmem() / 2) / PAGE);
  return new Space(pages, inodes ?? Math.max(pages, 1024));
}
