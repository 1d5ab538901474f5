/**
 * connection.ts: a program under libcr as `lwkt top` looks at a process: the same methods as core's TopConnection has. And which there are.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { launcherPath } from '@libcr/posix-compat/spawn';
import { Failure } from '../../errors.ts';
import { type Layout, layoutOf } from './layout.ts';
import { lookAtProgram, type ProgramSnapshot } from './snapshot.ts';

const GONE = ['ENOENT', 'ESRCH', 'EIO'];

function explained(pid: number, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && GONE.includes(code)) return new Failure(`process ${pid} has ended`);
  if (code === 'EACCES' || code === 'EPERM')
    return new Failure(
      `process ${pid} can't be looked at: it is another user's, or the kernel lets only those that have started it (sysctl kernel.yama.ptrace_scope)`,
    );
  return error;
}

export class ProgramConnection {
  readonly pid: number;
  readonly #layout: Layout;

  private constructor(pid: number, layout: Layout) {
    this.pid = pid;
    this.#layout = layout;
  }

  /** undefined: it is no process under libcr. */
  static open(pid: number): ProgramConnection | undefined {
    try {
      if (!isLauncher(pid)) return undefined;
      const layout = layoutOf(pid);
      return layout && new ProgramConnection(pid, layout);
    } catch (error) {
      throw explained(pid, error);
    }
  }

  async look(_options?: { timeout?: number }): Promise<ProgramSnapshot> {
    try {
      return lookAtProgram(this.pid, this.#layout);
    } catch (error) {
      throw explained(this.pid, error);
    }
  }

  close(): void {}
}

/** What runs there, as far as it can be seen; '' else. */
function fileOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

/** Whether a process runs a launcher: this one, or one of another place. */
function isLauncher(pid: number): boolean {
  return /\/libcr( \(deleted\))?$/.test(fileOf(pid));
}

/** Whether it began with the TMPDIR that lwkt has: for the others there may be another user's choice, or a test's. */
function hasOurTmpdir(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return words.find((word) => word.startsWith('TMPDIR='))?.slice(7) === process.env.TMPDIR;
  } catch {
    return false;
  }
}

/** This user's programs under this launcher, with the same TMPDIR as here, by number. */
export function programs(): number[] {
  let launcher: string;
  try {
    launcher = realpathSync(launcherPath());
  } catch {
    return []; // there is none for this machine
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => fileOf(pid) === launcher && hasOurTmpdir(pid));
}
