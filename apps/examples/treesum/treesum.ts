/**
 * treesum.ts: the SHA-256 of every file below a folder, in sha256sum's format; `sha256sum -c` reads it. A
 * userthread for each file, some at a time, all in blocking style. Names are bytes: nothing here decodes
 * them. README.md says what it promises.
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { group, type UserThread } from '@libcr/core';
import { constants, sys } from '@libcr/syscalls';
import { OutputError, printError, printSum } from './lines.ts';
import { startProgress } from './progress.ts';
import { walk } from './walk.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_CLOEXEC } = constants;
const USAGE = 'usage: treesum [-j N] FOLDER    (N: 1 to 10000 userthreads at a time, 64 if absent)\n';

const start = process.hrtime.bigint();
const count = { files: 0, bytes: 0, threads: 0, errors: 0 };
const buffers: Buffer[] = []; // those that no thread is reading into

function complain(path: Buffer, error: unknown): void {
  printError(path, error);
  count.errors++;
}

/**
 * A userthread's work: one file's digest; undefined if it turns out to be something else, or cannot be read.
 */
function sum(path: Buffer): string | undefined {
  const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(128 * 1024);
  let fd = -1;
  try {
    fd = sys.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (!sys.fstat(fd).isFile()) return undefined; // replaced since it was listed
    const hash = createHash('sha256');
    for (let n = sys.read(fd, buffer); n > 0; n = sys.read(fd, buffer)) {
      hash.update(n === buffer.length ? buffer : buffer.subarray(0, n));
      count.bytes += n;
    }
    count.files++;
    return hash.digest('hex');
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error; // nobody reads the lines any more
    complain(path, error);
    return undefined;
  } finally {
    if (fd >= 0) sys.close(fd);
    buffers.push(buffer);
  }
}

/**
 * Sums everything below folder with `jobs` userthreads at a time; the lines come out in the order of the
 * walk.
 */
function treesum(folder: string, jobs: number): void {
  const root = Buffer.from(folder);
  const progress = startProgress(root);
  const running: { path: Buffer; digest: string | undefined; td: UserThread<void> }[] = [];
  const finishOldest = (): void => {
    const oldest = running.shift() as (typeof running)[0];
    oldest.td.join();
    if (oldest.digest !== undefined) printSum(oldest.path, oldest.digest);
    progress.update(count.files);
  };
  try {
    // Where a line can't be printed the group ends: the files that are being read are closed first.
    group((g) => {
      walk(root, complain, (path) => {
        if (running.length === jobs) finishOldest();
        const summed = { path, digest: undefined as string | undefined };
        const td = g.create(
          () => {
            summed.digest = sum(path); // not returned: the group would keep them all
          },
          { name: 'sum' },
        );
        running.push(Object.assign(summed, { td }));
        count.threads++;
      });
      while (running.length > 0) finishOldest();
    });
  } finally {
    progress.stop(); // gives the cursor back, whatever has happened
  }
  const seconds = (Number(process.hrtime.bigint() - start) / 1e9).toFixed(3);
  const { files, bytes, threads } = count;
  process.stderr.write(
    `treesum: ${files} files, ${bytes} bytes, ${seconds} s, ${threads} userthreads (${jobs} at a time), ` +
      `${sys.stats().messages} system-call messages\n`,
  );
  process.exitCode = count.errors > 0 ? 1 : 0;
}

function commandLine(): { folder?: string; jobs: number } {
  try {
    const options = { jobs: { type: 'string', short: 'j', default: '64' } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const jobs = /^\d+$/.test(values.jobs) ? Number(values.jobs) : 0;
    const [folder] = positionals;
    if (folder && positionals.length === 1 && jobs >= 1 && jobs <= 10_000) return { folder, jobs };
  } catch {
    // an option that does not exist
  }
  return { jobs: 0 };
}

const { folder, jobs } = commandLine();
try {
  if (folder !== undefined) treesum(folder, jobs);
  else {
    process.stderr.write(USAGE);
    process.exitCode = 2;
  }
} catch (error) {
  if (!(error instanceof OutputError)) throw error;
  if (error.code === 'EPIPE') process.exit(141); // whoever reads has read enough: the status that a shell shows for SIGPIPE
  try {
    process.stderr.write(`treesum: ${error.message}\n`);
  } finally {
    process.exit(1); // whatever stderr does
  }
}
