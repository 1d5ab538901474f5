/**
 * folder.ts: a folder of this process' for the files that its programs have in memory: /dev/shm, where files there may be run, or the folder for temporary files.
 *
 * Its name says whose it is. One that is left, as its process was killed, is removed by the next who makes one: of the same user, in the same namespace of pids.
 *
 * Invariant: a folder whose process runs is not touched by others.
 */
import { readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFs } from '../../../node-fs.ts';
import { toByteString, toBytes } from '../paths/byte-string.ts';

/** libcr-KIND-PIDS-PID-START-XXXXXX: the namespace that the pid is of, and when the process began. */
const NAME = /^libcr-(?:memfs|overlay)-(\d+)-(\d+)-(\d+)-\w{6}$/;
/** Of /proc/PID/stat, behind the name in parentheses: the fields from the third on. */
const START = 22 - 3;

function startOf(pid: number | string): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[START];
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : undefined;
  }
}

/** Where files may be run. */
function place(): string {
  try {
    const line = nodeFs
      .readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .find((each) => each.split(' ')[1] === '/dev/shm');
    if (line !== undefined && !/\bnoexec\b/.test(line.split(' ')[3] as string)) {
      nodeFs.accessSync('/dev/shm', nodeFs.constants.W_OK);
      return '/dev/shm';
    }
  } catch {
    // no such place
  }
  return tmpdir();
}

/** All directories there may be written to by their owner. */
function open(at: Buffer): void {
  nodeFs.chmodSync(at, 0o700);
  for (const entry of nodeFs.readdirSync(at, { withFileTypes: true, encoding: 'buffer' }))
    if (entry.isDirectory()) open(Buffer.concat([at, Buffer.from('/'), entry.name as unknown as Buffer]));
}

/** Removes a folder with all that is in it, whatever the modes of directories that programs have made or changed. */
export function removeFolder(at: string): void {
  const options = { recursive: true, force: true };
  try {
    nodeFs.rmSync(at, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    open(toBytes(toByteString(at)));
    nodeFs.rmSync(at, options);
  }
}

/** Removes what killed processes have left. */
function sweep(at: string, pids: string): void {
  for (const name of nodeFs.readdirSync(at)) {
    const [, itsPids, pid, start] = NAME.exec(name) ?? [];
    if (pid === undefined || itsPids !== pids) continue;
    const there = startOf(pid);
    if (there === undefined || there === start) continue;
    try {
      removeFolder(join(at, name));
    } catch {
      // it is somebody else's
    }
  }
}

/** A new one. Throws what making it throws. */
export function makeFolder(kind: 'memfs' | 'overlay'): string {
  const at = place();
  const pids = String(statSync('/proc/self/ns/pid').ino);
  sweep(at, pids);
  return nodeFs.mkdtempSync(join(at, `libcr-${kind}-${pids}-${process.pid}-${startOf('self')}-`));
}
